"""A Lambda runtime client on one event loop: many invocations at once in one environment, where AWS's own client for Python
takes one at a time or forks a process for each.

    __main__.py    starts: logging, the app, the pollers; tells Lambda when INIT fails
    pollers.py     one long poll for each invocation that may run at once; the end at SIGTERM
    connection.py  one keep-alive connection to the Runtime API
    invocation.py  one event: to the app, within its deadline, and back
    cycle.py       one ASGI request whose answer is collected whole
    context.py     what the app may know of the invocation
    errors.py      an error as Lambda documents it
    logs.py        log lines as Lambda's JSON or text format has them, each with its request id

Started by `../start`, which `AWS_LAMBDA_EXEC_WRAPPER` names (docs/lambda-lane.md). Runtime API: AWS Lambda, "Using the Lambda
runtime API for custom runtimes" and "Building custom runtimes for Lambda Managed Instances".
"""
