"""What serves a live stage's requests.

listeners.py, groups.py                   listener, rules and target groups as plain data
followed.py                               reads them of elbv2 again and again; what changed takes effect late
roster.py                                 who may be given requests: lag, leakage, fail-open, slow start
health.py, probing.py                     when a target is healthy; asking it, and telling elbv2's double
node.py, balancer.py                      takes requests and sends each to a target, over real sockets
function_code.py, alias.py, functions.py  the Lambda lane that follows what was deployed
counts.py, metrics.py, publisher.py       what AWS would publish of each lab minute
front.py                                  these together
"""
