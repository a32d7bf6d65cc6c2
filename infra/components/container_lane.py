"""The container lane: an autoscaling group of on-demand and spot instances running the bundle, and its target group."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.boot.render import Boot, render_user_data
from infra.components.network import Network
from infra.components.release import Release
from infra.components.secret import reading_policy
from infra.config import Stage

# How long CloudFormation waits for an instance to say that it is ready: package installation, fetching and start.
SIGNAL_TIMEOUT_S = 600
# Fixed, because the instances name their group to CloudFormation and are described before it.
GROUP_LOGICAL_ID = "InstanceGroup"
# Public parameters that AWS keeps pointing at the newest Amazon Linux 2023 image, read whenever an instance launches.
MACHINE_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"


class ContainerLane(Construct):
    """Owns `group` (the instances) and `target_group`. Scaling keeps the mean CPU at the stage's target.

    A deployment that changes the bundle or its settings replaces the instances one at a time, each of which must say
    that it is ready; if one does not, the deployment rolls back.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, release: Release, network: Network) -> None:
        super().__init__(scope, id)
        self.bundle = s3_assets.Asset(self, "Bundle", path=str(release.zip_path))
        self.target_group = self._target_group(stage, network)
        self.group = self._group(stage, network, self._launch_template(stage, release, network))

    def _target_group(self, stage: Stage, network: Network) -> elbv2.CfnTargetGroup:
        """Healthy is what `/readyz` says twice running; a leaving instance has the stage's delay to finish."""
        return elbv2.CfnTargetGroup(
            self,
            "TargetGroup",
            target_type="instance",
            vpc_id=network.vpc.vpc_id,
            protocol="HTTP",
            port=stage.container_lane.port,
            health_check_path="/readyz",
            health_check_interval_seconds=10,
            health_check_timeout_seconds=5,
            healthy_threshold_count=2,
            unhealthy_threshold_count=3,
            matcher=elbv2.CfnTargetGroup.MatcherProperty(http_code="200"),
            target_group_attributes=[
                elbv2.CfnTargetGroup.TargetGroupAttributeProperty(
                    key="deregistration_delay.timeout_seconds", value=str(stage.container_lane.deregistration_delay_s)
                )
            ],
        )

    def _role(self, secret: str | None) -> iam.Role:
        """May read the one bundle, the stage's secret if it has one, and be reached by Session Manager; the group adds
        answering CloudFormation."""
        reads_bundle = iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[self.bundle.bucket.arn_for_objects(self.bundle.s3_object_key)]
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSSMManagedInstanceCore")],
            inline_policies={"boot": iam.PolicyDocument(statements=[reads_bundle]), **reading_policy(self, secret)},
        )
        acknowledge(
            role,
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]",
            "Session Manager replaces SSH; AWS keeps this policy in step with its agent.",
        )
        return role

    def _launch_template(self, stage: Stage, release: Release, network: Network) -> ec2.LaunchTemplate:
        image = MACHINE_IMAGE.format(architecture=stage.architecture)
        return ec2.LaunchTemplate(
            self,
            "LaunchTemplate",
            machine_image=ec2.MachineImage.resolve_ssm_parameter_at_launch(image),
            user_data=ec2.UserData.custom(render_user_data(self._boot(stage, release))),
            role=self._role(release.secret),
            security_group=network.instance_group,
            http_tokens=ec2.LaunchTemplateHttpTokens.REQUIRED,
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",  # the image's root device
                    volume=ec2.BlockDeviceVolume.ebs(
                        stage.container_lane.volume_gb, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3
                    ),
                )
            ],
        )

    def _boot(self, stage: Stage, release: Release) -> Boot:
        return Boot(
            bundle_uri=self.bundle.s3_object_url,
            sha256=release.sha256,
            python=stage.python,
            region=Aws.REGION,
            stack=Aws.STACK_NAME,
            group=GROUP_LOGICAL_ID,
            port=stage.container_lane.port,
            workers_per_vcpu=stage.container_lane.workers_per_vcpu,
            environment=release.environment("container"),
        )

    def _group(self, stage: Stage, network: Network, template: ec2.LaunchTemplate) -> autoscaling.AutoScalingGroup:
        lane = stage.container_lane
        group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            mixed_instances_policy=self._mixture(stage, template),
            min_capacity=lane.min_instances,
            max_capacity=lane.max_instances,
            capacity_rebalance=True,
            default_instance_warmup=Duration.seconds(60),
            health_checks=autoscaling.HealthChecks.with_additional_checks(
                additional_types=[autoscaling.AdditionalHealthCheckType.ELB],
                grace_period=Duration.seconds(lane.health_check_grace_s),
            ),
            signals=autoscaling.Signals.wait_for_min_capacity(timeout=Duration.seconds(SIGNAL_TIMEOUT_S)),
            update_policy=autoscaling.UpdatePolicy.rolling_update(
                max_batch_size=1, min_instances_in_service=min(lane.min_instances, lane.max_instances - 1)
            ),
        )
        if lane.max_instances > lane.min_instances:
            group.scale_on_cpu_utilization("Cpu", target_utilization_percent=round(100 * lane.target_utilization))
        resource = group.node.default_child
        assert isinstance(resource, autoscaling.CfnAutoScalingGroup)
        resource.override_logical_id(GROUP_LOGICAL_ID)
        resource.target_group_arns = [self.target_group.ref]
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
