"""CloudWatch in the local AWS: what moto has of it keeps no percentiles and never looks at an alarm.

statistics.py      what was published, and what CloudWatch says of it
store.py           metrics by minute in lab time, late by a delay, pruned
expression.py      metric math: the text as a tree
metric_math.py     ... and its value over time series
queries.py         GetMetricData, GetMetricStatistics, ListMetrics
alarm_settings.py  what an alarm asks for
evaluation.py      the state of an alarm, from its data points
rule.py            composite alarms' rules
alarms.py          alarms: made, described, set, evaluated each lab minute
templates.py       alarms in CloudFormation templates
backend.py         all of it in moto's CloudWatch, by account and region; the thread that evaluates
responses.py       the API's actions
"""
