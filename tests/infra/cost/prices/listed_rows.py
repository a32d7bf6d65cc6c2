"""Rows of the Price List of us-east-1 as public sources quote them, written out, so that a wrong filter or unit is seen.

Families and attributes: Infracost's filters and golden tests; usage types: AWS's billing guides and public price checks. Where
no source quotes a row's price it is the book's own in the list's unit, of decoys 9. After `->` stands the book's dimension, or
`-` for a decoy. A price from a quantity on is written `25: 0.25`.
"""

from __future__ import annotations

ROWS = """
AWSLambda
Serverless | Request | group=AWS-Lambda-Requests | 0.0000002 -> requests
Serverless | Request-ARM | group=AWS-Lambda-Requests-ARM | 9 -> -
Serverless | Lambda-GB-Second | | 0.0000166667 6000000000: 0.000015 15000000000: 0.0000133334 -> duration_x86_64
Serverless | Lambda-GB-Second-ARM | | 0.0000133334 7500000000: 0.0000120001 18750000000: 0.0000106667 -> duration_arm64
Serverless | Lambda-Provisioned-Concurrency | | 0.0000041667 -> provisioned_concurrency_x86_64
Serverless | Lambda-Provisioned-Concurrency-ARM | | 0.0000033334 -> provisioned_concurrency_arm64
Serverless | Lambda-Provisioned-GB-Second | | 0.0000097222 -> provisioned_duration_x86_64
Serverless | Lambda-Provisioned-GB-Second-ARM | | 0.0000077778 -> provisioned_duration_arm64
Serverless | Lambda-Storage-GB-Second | group=AWS-Lambda-Storage-Duration | 0.0000000309 -> ephemeral_storage_over_512_mb
Serverless | Lambda-Storage-GB-Second-ARM | group=AWS-Lambda-Storage-Duration-ARM | 9 -> -
Serverless | Lambda-SnapStart-Cached-GB-S | | 0.0000015046 -> snapstart_cache
Serverless | Lambda-SnapStart-Restored-GB | | 0.0001397998 -> snapstart_restore
Serverless | Lambda-Streaming-Response-Processed-Bytes | | 0.008 -> response_streaming
Serverless | Lambda-Edge-Request | group=AWS-Lambda-Edge-Requests | 0.0000006 -> edge_request
Serverless | Lambda-Edge-GB-Second | group=AWS-Lambda-Edge-Duration | 0.00005001 -> edge_duration
Serverless | Lambda-MicroVM-vCPU-Second-ARM | group=AWS-Lambda-MicroVM-vCPU-Second-ARM | 0.0000276944 -> microvm_vcpu
Serverless | Lambda-MicroVM-vCPU-Second | group=AWS-Lambda-MicroVM-vCPU-Second | 0.0000326557 -> -
Serverless | Lambda-MicroVM-Memory-GB-Second-ARM | | 0.0000036667 -> microvm_memory
Serverless | Lambda-MicroVM-Memory-GB-Second | group=AWS-Lambda-MicroVM-Memory-GB-Second | 0.0000043235 -> -
Serverless | Lambda-MicroVM-Snapshot-Read-GB | | 0.0015467699 -> microvm_snapshot_read
Serverless | Lambda-MicroVM-Snapshot-Write-GB | | 0.0037977138 -> microvm_snapshot_written
Serverless | Lambda-MicroVM-Snapshot-Storage-GB-Hour | | 0.0001111111 -> microvm_snapshot_storage
Serverless | Unknown-1 | group=AWS-Lambda-Durable-Execution-Operations | 0.000008 -> durable_operation
Serverless | Unknown-2 | group=AWS-Lambda-Durable-Execution-Written-Bytes | 0.25 -> durable_written
Serverless | Unknown-3 | group=AWS-Lambda-Durable-Execution-TimedStorage-ByteHrs | 0.15 -> durable_retained
Serverless | Lambda-Event-Poller-Unit-Hour | group=AWS-Lambda-Event-Poller-Unit-Duration | 0.185 -> event_poller_kafka
Serverless | Unknown-4 | group=AWS-Lambda-SQS-Event-Poller-Unit-Duration | 0.00925 -> event_poller_sqs
Serverless | Unknown-5 | group=AWS-Lambda-Tenant-Isolated-Environment-Memory-GB | 0.000167 -> tenant_isolation
Serverless | Unknown-6 | group=AWS-Lambda-Tenant-Isolated-Environment-Memory-GB-ARM | 9 -> -
Serverless | Lambda-Managed-Instances-c7g.large-Management-Hours | | 0.010875 -> managed_instances_fee
Serverless | Lambda-Managed-Instances-z9.unheard-Management-Hours | | 9 -> -
Serverless | Lambda-Managed-Instances-Request | | 0.0000002 -> -
AmazonECS
Compute | USE1-Fargate-vCPU-Hours:perCPU | | 0.04048 -> fargate_vcpu_x86_64
Compute | USE1-Fargate-ARM-vCPU-Hours:perCPU | | 0.03238 -> fargate_vcpu_arm64
Compute | USE1-Fargate-Windows-vCPU-Hours:perCPU | | 0.09148 -> -
Compute | USE1-Fargate-GB-Hours | | 0.004445 -> fargate_memory_x86_64
Compute | USE1-Fargate-ARM-GB-Hours | | 0.00356 -> fargate_memory_arm64
Compute | USE1-Fargate-EphemeralStorage-GB-Hours | | 0.000111 -> fargate_ephemeral_over_20_gb
AmazonEC2
Storage | EBS:VolumeUsage.gp3 | volumeApiName=gp3 | 0.08 -> AmazonEBS gp3_storage
Storage | EBS:VolumeUsage | volumeApiName=standard | 0.05 -> -
System Operation | EBS:VolumeP-IOPS.gp3 | volumeApiName=gp3 | 0.005 -> AmazonEBS gp3_iops_over_3000
Provisioned Throughput | EBS:VolumeP-Throughput.gp3 | volumeApiName=gp3 | 40.96 -> AmazonEBS gp3_throughput_over_125
Storage | EBS:VolumeUsage.gp2 | volumeApiName=gp2 | 0.1 -> AmazonEBS gp2_storage
Storage | EBS:VolumeUsage.piops | volumeApiName=io1 | 0.125 -> AmazonEBS io1_storage
Storage | EBS:VolumeUsage.io2 | volumeApiName=io2 | 0.125 -> -
System Operation | EBS:VolumeP-IOPS.piops | volumeApiName=io1 | 0.065 -> AmazonEBS io1_iops
Storage | EBS:VolumeUsage.st1 | volumeApiName=st1 | 0.045 -> AmazonEBS st1_storage
Storage | EBS:VolumeUsage.sc1 | volumeApiName=sc1 | 0.015 -> AmazonEBS sc1_storage
Storage Snapshot | EBS:SnapshotUsage | | 0.05 -> AmazonEBS snapshot
CPU Credits | CPUCredits:t3 | operatingSystem=Linux | 0.05 -> AmazonEC2 t3_unlimited_credit
CPU Credits | CPUCredits:t3 | operatingSystem=Windows | 0.096 -> -
NAT Gateway | NatGateway-Hours | | 0.045 -> AmazonVPC nat_gateway_hour
NAT Gateway | NatGateway-Bytes | | 0.045 -> AmazonVPC nat_gateway_data
AWSELB
Load Balancer-Application | LoadBalancerUsage | operation=LoadBalancing:Application | 0.0225 -> alb_hour
Load Balancer-Application | TS-LoadBalancerUsage | | 0.0056 -> -
Load Balancer-Application | LCUUsage | operation=LoadBalancing:Application | 0.008 -> alb_lcu
Load Balancer-Application | ReservedLCUUsage | | 0.008 -> -
Load Balancer-Network | LoadBalancerUsage | operation=LoadBalancing:Network | 0.0225 -> nlb_hour
Load Balancer-Network | LCUUsage | operation=LoadBalancing:Network | 0.006 -> nlb_lcu
Load Balancer | LoadBalancerUsage | operation=LoadBalancing | 0.025 -> -
AmazonVPC
 | PublicIPv4:InUseAddress | | 0.005 -> public_ipv4
 | PublicIPv4:IdleAddress | | 9 -> -
VpcEndpoint | USE1-VpcEndpoint-Hours | | 0.01 -> endpoint_hour
VpcEndpoint | USE1-VpcEndpoint-GWLBE-Hours | | 9 -> -
VpcEndpoint | USE1-VpcEndpoint-Bytes | | 0.01 1048576: 0.006 5242880: 0.004 -> endpoint_data
AWSDataTransfer
Data Transfer | DataTransfer-Out-Bytes | transferType=AWS Outbound | 0.09 10240: 0.085 51200: 0.07 153600: 0.05 -> out_internet
Data Transfer | DataTransfer-In-Bytes | transferType=AWS Inbound | 0 -> in_internet
Data Transfer | DataTransfer-Regional-Bytes | transferType=IntraRegion | 0.01 -> inter_az
Data Transfer | USE1-USE2-AWS-Out-Bytes | transferType=InterRegion Outbound; toRegionCode=us-east-2 | 0.01 -> out_us_east
Data Transfer | USE1-USW2-AWS-Out-Bytes | transferType=InterRegion Outbound; toRegionCode=us-west-2 | 0.02 -> out_other_region
Data Transfer | USE1-USW2-AWS-In-Bytes | transferType=InterRegion Inbound; toRegionCode=us-west-2 | 0 -> -
AmazonCloudWatch
Data Payload | DataProcessing-Bytes | operation=PutLogEvents | 0.5 -> logs_ingest_standard
Data Payload | DataProcessingIA-Bytes | operation=PutLogEvents | 0.25 -> -
Storage Snapshot | TimedStorage-ByteHrs | operation=HourlyStorageMetering | 0.03 -> logs_storage
Data Payload | DataScanned-Bytes | operation=StartQuery | 0.005 -> logs_insights_scan
Metric | CW:MetricMonitorUsage | | 0.3 10000: 0.1 250000: 0.05 1000000: 0.02 -> custom_metric
Alarm | CW:AlarmMonitorUsage | alarmType=Standard | 0.1 -> standard_alarm
Alarm | CW:CompositeAlarmMonitorUsage | | 0.5 -> composite_alarm
Alarm | CW:HighResAlarmMonitorUsage | alarmType=High Resolution | 0.3 -> high_resolution_alarm
Dashboard | DashboardsUsageHour | location=Any; regionCode= | 3 -> dashboard
Dashboard | DashboardsUsageHour-Basic | location=Any; regionCode= | 9 -> -
API Request | CW:Requests | | 0.00001 -> put_metric_data
AmazonDynamoDB
Database Storage | TimedStorage-ByteHrs | | 0 25: 0.25 -> storage
Database Storage | IA-TimedStorage-ByteHrs | | 0.1 -> -
Database Storage | USE1-TimedPITRStorage-ByteHrs | | 0.2 -> pitr_backup
Amazon DynamoDB On-Demand Backup Storage | USE1-TimedBackupStorage-ByteHrs | | 0.1 -> backup
Amazon DynamoDB Restore Data Size | USE1-RestoreDataSize-Bytes | | 0.15 -> restore
Amazon DynamoDB PayPerRequest Throughput | WriteRequestUnits | group=DDB-WriteUnits | 0.000000625 -> write_request
Amazon DynamoDB PayPerRequest Throughput | IA-WriteRequestUnits | group=DDB-WriteUnitsIA | 0.00000078 -> -
Amazon DynamoDB PayPerRequest Throughput | ReadRequestUnits | group=DDB-ReadUnits | 0.000000125 -> read_request
Provisioned IOPS | WriteCapacityUnit-Hrs | group=DDB-WriteUnits | 0 18600: 0.00065 -> write_capacity
Provisioned IOPS | ReadCapacityUnit-Hrs | group=DDB-ReadUnits | 0 18600: 0.00013 -> read_capacity
API Request | USE1-Streams-Requests | group=DDB-StreamsReadRequests | 0 2500000: 0.0000002 -> streams_read
AmazonElastiCache
ElastiCache Serverless | USE1-ElastiCacheProcessingUnits:Valkey | cacheEngine=Valkey | 0.0000000023 -> valkey_serverless_ecpu
ElastiCache Serverless | USE1-CachedData:Valkey | cacheEngine=Valkey | 0.084 -> valkey_serverless_storage
ElastiCache Serverless | USE1-ElastiCacheProcessingUnits:Redis | cacheEngine=Redis | 0.0000000034 -> redis_serverless_ecpu
ElastiCache Serverless | USE1-CachedData:Redis | cacheEngine=Redis | 0.125 -> redis_serverless_storage
ElastiCache Serverless | USE1-CachedData:Memcached | cacheEngine=Memcached | 0.125 -> -
Cache Instance | NodeUsage:cache.t3.micro | cacheEngine=Valkey | 0.0136 -> node_cache.t3.micro_valkey
Cache Instance | NodeUsage:cache.t3.micro | cacheEngine=Redis | 0.017 -> node_cache.t3.micro_redis
Cache Instance | NodeUsage:cache.t3.micro | cacheEngine=Memcached | 0.017 -> -
AmazonApiGateway
API Calls | USE1-ApiGatewayHttpRequest | operation=ApiGatewayHttpApi | 0.000001 300000000: 0.0000009 -> http_api
API Calls | USE1-ApiGatewayRequest | operation=ApiGatewayRequest | 0.0000035 333000000: 0.0000028 -> rest_api
AWSAppRunner
 | USE1-AppRunner-vCPU-hours | | 0.064 -> AmazonAppRunner vcpu
 | USE1-AppRunner-Provisioned-GB-hours | | 0.007 -> AmazonAppRunner memory
AWSEvents
EventBridge | USE1-Event-64K-Chunks | eventType=Custom Event; operation=PutEvents | 0.000001 -> custom_event
EventBridge | USE1-Event-64K-Chunks | eventType=Partner Event; operation=PutPartnerEvents | 0.000002 -> -
EventBridge | USE1-ScheduledInvocation | operation=Invocation | 0 14000000: 0.000001 -> scheduler_invocation
AWSQueueService
API Request | Requests-RBP | queueType=Standard | 0.0000004 100000000000: 0.0000003 -> standard_request
API Request | Requests-FIFO-RBP | queueType=FIFO (first-in, first-out) | 0.0000005 -> fifo_request
API Request | Requests-Fair-RBP | queueType=Fair | 0.0000001 -> -
AmazonSNS
API Request | Requests-Tier1 | | 0 1000000: 0.0000005 -> requests
Message Delivery | DeliveryAttempts-HTTP | | 9 -> -
AmazonStates
AWS Step Functions | StateTransition | | 0 4000: 0.000025 -> AWSStepFunctions transition
AWS Step Functions | StepFunctions-Request | | 0.000001 -> AWSStepFunctions express_request
 | StepFunctions-GB-Second | | 0.00001667 3600000: 0.00000833 18000000: 0.00000456 -> AWSStepFunctions express_duration
AWSSecretsManager
Secret | USE1-AWSSecretsManager-Secrets | | 0.4 -> secret
API Request | USE1-AWSSecretsManagerAPIRequest | | 0.000005 -> requests
AWSSystemsManager
AWS Systems Manager | USE1-PS-Advanced-Param-Tier1 | | 0.0000684932 -> advanced_parameter
API Request | USE1-PS-Param-Processed-Tier1 | | 0 -> -
API Request | USE1-PS-Param-Processed-Tier2 | | 0.000005 -> advanced_parameter_request
awswaf
Web Application Firewall | USE1-WebACLV2 | | 5 -> AWSWAF web_acl
Web Application Firewall | USE1-ShieldProtected-WebACLV2 | | 9 -> -
Web Application Firewall | USE1-RuleV2 | | 1 -> AWSWAF rule
Web Application Firewall | USE1-RequestV2-Tier1 | group=Request | 0.0000006 -> AWSWAF requests
Web Application Firewall | USE1-RequestV2-Tier2 | group=Request | 9 -> -
AmazonRoute53
DNS Zone | HostedZone | | 0.5 25: 0.1 -> hosted_zone
DNS Query | DNS-Queries | | 0.0000004 1000000000: 0.0000002 -> standard_queries
DNS Query | LBR-Queries | | 9 -> -
AmazonS3
Storage | TimedStorage-ByteHrs | volumeType=Standard; operation= | 0.023 51200: 0.022 512000: 0.021 -> standard_storage
Storage | TimedStorage-SIA-ByteHrs | volumeType=Standard - Infrequent Access; operation= | 0.0125 -> -
Storage | TimedStorage-ByteHrs | volumeType=Amazon Glacier; operation=GlacierStorage | 0.0036 -> -
API Request | Requests-Tier1 | group=S3-API-Tier1 | 0.000005 -> put_requests
API Request | Requests-SIA-Tier1 | group=S3-API-SIA-Tier1 | 0.00001 -> -
API Request | Requests-Tier2 | group=S3-API-Tier2 | 0.0000004 -> get_requests
awskms
Encryption Key | us-east-1-KMS-Keys | | 1 -> key
API Request | us-east-1-KMS-Requests | | 0.000003 -> requests
API Request | us-east-1-KMS-Requests-Asymmetric | | 0.000015 -> -
"""
"""A line without bars names the offer, which is the book's service where the dimension names none."""


def listed_rows() -> list[tuple[str, str, str, dict[str, str], list[tuple[str, str, str]], tuple[str, str] | None]]:
    """Offer, family, usage type, attributes, tiers, and the key in the book or None."""
    offer, rows = "", []
    for line in ROWS.strip().splitlines():
        if "|" not in line:
            offer = line
            continue
        told, _, name = line.partition(" -> ")
        family, usagetype, attributes, prices = (each.strip() for each in told.split("|"))
        named = dict(each.strip().split("=", 1) for each in attributes.split(";") if each)
        starts, words = ["0"], prices.split()
        starts += [word.rstrip(":") for word in words if word.endswith(":")]
        usd = [word for word in words if not word.endswith(":")]
        tiers = list(zip(starts, [*starts[1:], "Inf"], usd, strict=True))
        service, _, dimension = name.rpartition(" ")
        rows.append((offer, family, usagetype, named, tiers, None if name == "-" else (service or offer, dimension)))
    return rows
