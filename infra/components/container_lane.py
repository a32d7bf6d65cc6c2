"""The container lane: an autoscaling group of on-demand and spot instances running the bundle, and its target group."""

from __future__ import annotations

from aws_cdk import Annotations, Aws, Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.components import replacement
from infra.components.acknowledge import acknowledge
from infra.components.boot.render import Boot, render_user_data
from infra.components.cache import Cache
from infra.components.container_targets import container_targets
from infra.components.instance_role import InstanceRole
from infra.components.network import Network
from infra.components.release import Release
from infra.components.scaling import scale
from infra.config import Stage

# When the group shrinks: what keeps the purchase options as configured, then what is behind the newest deployment, then what is
# oldest and so has the oldest image.
TERMINATION_POLICIES = [
    autoscaling.TerminationPolicy.ALLOCATION_STRATEGY,
    autoscaling.TerminationPolicy.OLDEST_LAUNCH_TEMPLATE,
    autoscaling.TerminationPolicy.OLDEST_INSTANCE,
]
# Fixed, because the instances name their group to CloudFormation and are described before it.
GROUP_LOGICAL_ID = "InstanceGroup"
# Public parameters that AWS keeps pointing at the newest Amazon Linux 2023 image, read whenever an instance launches.
MACHINE_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"


class ContainerLane(Construct):
    """Owns `group` (the instances) and `target_group`.

    A deployment that changes the bundle or its settings replaces the instances a quarter at a time, each of which must say
    that it is ready; if they do not, the deployment rolls back (replacement.py). Scaling: scaling.py.
    """

    def __init__(
        self, scope: Construct, id: str, *, stage: Stage, release: Release, network: Network, cache: Cache | None = None
    ) -> None:
        super().__init__(scope, id)
        self._cache = cache
        self.bundle = s3_assets.Asset(self, "Bundle", path=str(release.zip_path))
        self.target_group = container_targets(self, lane=stage.container_lane, vpc=network.vpc)
        self.role = self._role(release.secret)
        self.group = self._group(stage, network, self._launch_template(stage, release, network))
        scale(self.group, stage=stage, target_group=self.target_group)
        replacement.boot_failures_alarm(self, stage=stage, group=self.group)

    def _role(self, secret: str | None) -> iam.IRole:
        return InstanceRole(
            self,
            "Instance",
            bundle=self.bundle,
            secret=secret,
            cache=self._cache,
            target_group=self.target_group,
            group_logical_id=GROUP_LOGICAL_ID,
        ).role.without_policy_updates()

    def _launch_template(self, stage: Stage, release: Release, network: Network) -> ec2.LaunchTemplate:
        image = MACHINE_IMAGE.format(architecture=stage.architecture)
        return ec2.LaunchTemplate(
            self,
            "LaunchTemplate",
            machine_image=ec2.MachineImage.resolve_ssm_parameter_at_launch(image),
            user_data=ec2.UserData.custom(render_user_data(self._boot(stage, release, network))),
            role=self.role,
            security_group=network.instance_group,
            http_tokens=ec2.LaunchTemplateHttpTokens.REQUIRED,
            http_put_response_hop_limit=1,
            instance_metadata_tags=True,  # the instance finds its group's name there
            # Figures each minute instead of every fifth, for scaling: $2.10 a month and instance.
            detailed_monitoring=True,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",  # the image's root device
                    volume=ec2.BlockDeviceVolume.ebs(
                        stage.container_lane.volume_gb, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3
                    ),
                )
            ],
        )

    def _boot(self, stage: Stage, release: Release, network: Network) -> Boot:
        return Boot(
            bundle_uri=self.bundle.s3_object_url,
            sha256=release.sha256,
            python=stage.python,
            region=Aws.REGION,
            stack=Aws.STACK_NAME,
            group=GROUP_LOGICAL_ID,
            port=stage.container_lane.port,
            workers_per_vcpu=stage.container_lane.workers_per_vcpu,
            target_group=self.target_group.ref,
            environment={
                **release.environment("container"),
                **network.instance_environment,
                **(self._cache.environment(release.secret) if self._cache else {}),
                # The load balancer's addresses: uvicorn takes their word on the caller's address and scheme.
                "FORWARDED_ALLOW_IPS": stage.network.cidr,
            },
            cloudwatch_agent=stage.container_lane.cloudwatch_agent,
        )

    def _group(self, stage: Stage, network: Network, template: ec2.LaunchTemplate) -> autoscaling.AutoScalingGroup:
        lane = stage.container_lane
        group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=network.vpc,
            vpc_subnets=network.instance_subnets,
            mixed_instances_policy=self._mixture(stage, template),
            min_capacity=lane.min_instances,
            max_capacity=lane.max_instances,
            capacity_rebalance=True,
            min_healthy_percentage=replacement.MIN_HEALTHY_PERCENT,
            max_healthy_percentage=replacement.MAX_HEALTHY_PERCENT,
            max_instance_lifetime=Duration.days(replacement.MAX_LIFETIME_DAYS),
            termination_policies=TERMINATION_POLICIES,
            default_instance_warmup=Duration.seconds(lane.warmup_s),
            health_checks=autoscaling.HealthChecks.with_additional_checks(
                additional_types=[autoscaling.AdditionalHealthCheckType.EBS, autoscaling.AdditionalHealthCheckType.ELB],
                grace_period=Duration.seconds(lane.health_check_grace_s),
            ),
            group_metrics=[autoscaling.GroupMetrics.all()],  # each minute, and free
            # Of the first deployment: without their signals a stack whose instances do not boot would not fail for long.
            signals=autoscaling.Signals.wait_for_min_capacity(timeout=Duration.seconds(replacement.BOOT_TIMEOUT_S)),
            update_policy=replacement.instance_refresh(self, stage=stage),
        )
        Annotations.of(group).acknowledge_warning(
            "@aws-cdk/aws-autoscaling:signalsNotUsedByInstanceRefresh",
            "The signals are the first deployment's; a refresh waits for the lifecycle hook.",
        )
        resource = group.node.default_child
        assert isinstance(resource, autoscaling.CfnAutoScalingGroup)
        resource.override_logical_id(GROUP_LOGICAL_ID)
        resource.target_group_arns = [self.target_group.ref]
        resource.lifecycle_hook_specification_list = replacement.lifecycle_hooks()
        acknowledge(group, "AS3", "A group that follows its load scales all day; e-mail about it would be ignored.")
        acknowledge(group, "EC26", "The volume is encrypted in the launch template, to which the rule cannot follow.")
        return group

    def _mixture(self, stage: Stage, template: ec2.LaunchTemplate) -> autoscaling.MixedInstancesPolicy:
        lane = stage.container_lane
        return autoscaling.MixedInstancesPolicy(
            launch_template=template,
            launch_template_overrides=[
                autoscaling.LaunchTemplateOverrides(instance_type=ec2.InstanceType(name)) for name in lane.instance_types
            ],
            instances_distribution=autoscaling.InstancesDistribution(
                on_demand_base_capacity=lane.on_demand_base,
                on_demand_percentage_above_base_capacity=100 - lane.spot_percent,
                on_demand_allocation_strategy=autoscaling.OnDemandAllocationStrategy.PRIORITIZED,
                spot_allocation_strategy=autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
            ),
        )
