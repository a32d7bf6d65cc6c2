"""One small Amazon Linux 2023 instance a zone that translates the addresses of the container lane's instances."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.config import Stage
from infra.settings.lanes import instance_architecture

MACHINE_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"
# AWS's own recipe for a NAT instance (Amazon VPC User Guide, "NAT instances"), with the interface looked up.
USER_DATA = """\
#!/bin/bash
set -euo pipefail
echo net.ipv4.ip_forward=1 >/etc/sysctl.d/90-nat.conf
sysctl --load /etc/sysctl.d/90-nat.conf
for attempt in 1 2 3 4 5; do
    dnf install --assumeyes --quiet iptables-services && break
    sleep 5
done
systemctl enable --now iptables
interface=$(ip -4 -o route show default | awk '{print $5; exit}')
iptables --flush FORWARD
iptables --table nat --append POSTROUTING --out-interface "$interface" --jump MASQUERADE
service iptables save
"""


class NatInstances(Construct):
    """Owns one NAT instance in each public subnet and the default route of the private subnet beside it.

    Takes connections from `users` only, on `ports`, and opens them only there. Its image is resolved when an instance is
    launched: a newer image never replaces a running one. It has no role and no login.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        vpc: ec2.Vpc,
        users: ec2.SecurityGroup,
        ports: tuple[int, ...],
    ) -> None:
        super().__init__(scope, id)
        group = ec2.SecurityGroup(self, "Group", vpc=vpc, description="NAT instances", allow_all_outbound=False)
        for port in ports:
            group.add_ingress_rule(users, ec2.Port.tcp(port), "From the container lane")
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Suppliers, packages, AWS APIs")
        template = self._launch_template(stage.network.nat_instance_type)
        for number, (public, private) in enumerate(zip(vpc.public_subnets, vpc.isolated_subnets, strict=True), start=1):
            instance = self._instance(f"Instance{number}", template, public, group)
            instance.node.add_dependency(public.internet_connectivity_established)
            ec2.CfnRoute(
                self,
                f"Route{number}",
                route_table_id=private.route_table.route_table_id,
                destination_cidr_block="0.0.0.0/0",
                instance_id=instance.ref,
            )

    def _launch_template(self, instance_type: str) -> ec2.LaunchTemplate:
        image = MACHINE_IMAGE.format(architecture=instance_architecture(instance_type))
        return ec2.LaunchTemplate(
            self,
            "LaunchTemplate",
            instance_type=ec2.InstanceType(instance_type),
            machine_image=ec2.MachineImage.resolve_ssm_parameter_at_launch(image),
            user_data=ec2.UserData.custom(USER_DATA),
            http_tokens=ec2.LaunchTemplateHttpTokens.REQUIRED,
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",  # the image's root device
                    volume=ec2.BlockDeviceVolume.ebs(8, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3),
                )
            ],
        )

    def _instance(
        self, id: str, template: ec2.LaunchTemplate, subnet: ec2.ISubnet, group: ec2.SecurityGroup
    ) -> ec2.CfnInstance:
        assert template.launch_template_id is not None
        instance = ec2.CfnInstance(
            self,
            id,
            launch_template=ec2.CfnInstance.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version=template.latest_version_number
            ),
            source_dest_check=False,  # it forwards what is not addressed to it
            network_interfaces=[
                ec2.CfnInstance.NetworkInterfaceProperty(
                    device_index="0",
                    associate_public_ip_address=True,
                    subnet_id=subnet.subnet_id,
                    group_set=[group.security_group_id],
                )
            ],
        )
        acknowledge(instance, "EC28", "Its metrics are watched at five minutes; a minute's detail would be billed.")
        acknowledge(instance, "EC29", "It holds nothing: a deployment may replace it.")
        return instance
