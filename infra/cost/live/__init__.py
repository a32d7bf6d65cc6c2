"""A deployed stage read through AWS's own APIs: what a search needs there, and what traffic there was.

stage (stack outputs) -> metrics (CloudWatch), insights (Logs Insights) -> deployment (samples by lane), traffic
"""
