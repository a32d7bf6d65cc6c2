"""What both lanes and the load balancer stand in: public subnets, an S3 gateway endpoint, two security groups."""

from __future__ import annotations

from urllib.parse import urlsplit

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra import config
from infra.components.acknowledge import acknowledge


class Network(Construct):
    """Owns `vpc`, `load_balancer_group` (open to the internet on the listeners' ports) and `instance_group`.

    Instances have public addresses and no NAT gateway; only the load balancer reaches them, on the service's port, and
    they reach out over HTTPS and to the suppliers' port. Zones are named, so synthesis looks nothing up.
    """

    def __init__(self, scope: Construct, id: str, *, stage: config.Stage) -> None:
        super().__init__(scope, id)
        settings = stage.network
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.cidr),
            availability_zones=[f"{stage.region}{zone}" for zone in settings.availability_zones],
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC)],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
            restrict_default_security_group=False,  # would add a Lambda function of CDK's own; nothing uses that group
        )
        acknowledge(
            self.vpc,
            "VPC7",
            "Flow logs cost per byte of supplier traffic; the report does not price them, so none run.",
        )
        self.load_balancer_group = self._group("LoadBalancerGroup", "Load balancer of the search service")
        self.instance_group = self._group("InstanceGroup", "Instances of the container lane")
        self._open_to_the_internet(stage)
        self._join(stage.container_lane.port)
        self._let_out(stage.suppliers_url)

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _open_to_the_internet(self, stage: config.Stage) -> None:
        for port in (80, 443) if stage.traffic.certificate_arn else (80,):
            self.load_balancer_group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Callers")
        acknowledge(self.load_balancer_group, "EC23", "The service is public: its load balancer takes anyone's requests.")

    def _join(self, port: int) -> None:
        self.load_balancer_group.add_egress_rule(self.instance_group, ec2.Port.tcp(port), "To the container lane")
        self.instance_group.add_ingress_rule(self.load_balancer_group, ec2.Port.tcp(port), "From the load balancer")

    def _let_out(self, suppliers_url: str) -> None:
        url = urlsplit(suppliers_url)
        for port in sorted({443, url.port or (443 if url.scheme == "https" else 80)}):
            self.instance_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Suppliers, packages, AWS APIs")
