"""The switch's ports on AWS: `calls` and `resources` find a stage, `store`, `traffic` and `lanes` answer the ports.

Every call has a time-out and is tried again by botocore; what then still has no answer is `Unreachable`. boto3 is imported with
the first client, so that help and wrong usage cost nothing.
"""
