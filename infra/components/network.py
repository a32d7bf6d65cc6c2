"""What the lanes and the load balancer stand in: the VPC, its free gateway endpoints and the security groups. How instances
reach out is `network.egress` (docs/network.md has the choices with their prices)."""

from __future__ import annotations

from urllib.parse import urlsplit

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra import config
from infra.components.acknowledge import acknowledge
from infra.components.nat_instances import NatInstances

EGRESS_ONLY = ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
NO_EGRESS = ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


class Network(Construct):
    """Owns `vpc`, `load_balancer_group` (open to the internet on the listeners' ports) and, where the stage has a container
    lane, `instance_group` and `instance_subnets`.

    Only the load balancer reaches instances, on the service's port, and they reach out over HTTPS and to the suppliers'
    port. A stage without instances has public subnets for its load balancer and nothing that is billed by the hour. Zones
    are named, so synthesis looks nothing up.
    """

    def __init__(self, scope: Construct, id: str, *, stage: config.Stage) -> None:
        super().__init__(scope, id)
        self.egress = stage.network.egress if "container" in stage.lanes else "public"
        self._region = stage.region
        self.vpc = self._vpc(stage)
        self.load_balancer_subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
        self.load_balancer_group = self._group("LoadBalancerGroup", "Load balancer of the search service")
        self._open_to_the_internet(stage)
        self._instance_group: ec2.SecurityGroup | None = None
        if "container" in stage.lanes:
            self._instance_group = self._group("InstanceGroup", "Instances of the container lane")
            self._join(stage.container_lane.port)
            ports = outbound_ports(stage.suppliers_url)
            self._let_out(ports)
            if self.egress == "nat_instance":
                NatInstances(self, "Nat", stage=stage, vpc=self.vpc, users=self.instance_group, ports=ports)

    @property
    def instance_group(self) -> ec2.SecurityGroup:
        """The instances' security group, in a stage with a container lane."""
        assert self._instance_group is not None, "a stage without a container lane has no instances"
        return self._instance_group

    @property
    def instance_subnets(self) -> ec2.SubnetSelection:
        """Where instances, and what only they talk to, belong."""
        if self.egress == "public":
            return self.load_balancer_subnets
        return ec2.SubnetSelection(subnet_group_name="private")

    @property
    def instance_subnet_ids(self) -> list[str]:
        chosen = self.instance_subnets
        found = self.vpc.select_subnets(subnet_type=chosen.subnet_type, subnet_group_name=chosen.subnet_group_name)
        return found.subnet_ids

    @property
    def instance_environment(self) -> dict[str, str]:
        """What AWS's tools on the instances must be told: over IPv6 only AWS's dual-stack endpoints can be reached."""
        if not self._dual_stack:
            return {}
        return {
            "AWS_USE_DUALSTACK_ENDPOINT": "true",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"https://secretsmanager.{self._region}.api.aws",
        }

    @property
    def _dual_stack(self) -> bool:
        return self.egress == "ipv6"

    def _vpc(self, stage: config.Stage) -> ec2.Vpc:
        public = ec2.SubnetConfiguration(
            name="public",
            subnet_type=ec2.SubnetType.PUBLIC,
            # A load balancer and a NAT instance ask for their addresses themselves.
            map_public_ip_on_launch=self.egress == "public",
        )
        private = {"public": [], "nat_gateway": [EGRESS_ONLY], "nat_instance": [NO_EGRESS], "ipv6": [EGRESS_ONLY]}
        zones = stage.network.availability_zones
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(stage.network.cidr),
            ip_protocol=ec2.IpProtocol.DUAL_STACK if self._dual_stack else None,
            availability_zones=[f"{stage.region}{zone}" for zone in zones],
            nat_gateways=len(zones) if self.egress == "nat_gateway" else 0,
            subnet_configuration=[public, *private[self.egress]],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            restrict_default_security_group=False,  # would add a Lambda function of CDK's own; nothing uses that group
        )
        acknowledge(
            vpc,
            "VPC7",
            "Flow logs cost per byte of supplier traffic; the report does not price them, so none run.",
        )
        return vpc

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _open_to_the_internet(self, stage: config.Stage) -> None:
        for port in (80, 443) if stage.traffic.certificate_arn else (80,):
            self.load_balancer_group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Callers")
        acknowledge(self.load_balancer_group, "EC23", "The service is public: its load balancer takes anyone's requests.")

    def _join(self, port: int) -> None:
        self.load_balancer_group.add_egress_rule(self.instance_group, ec2.Port.tcp(port), "To the container lane")
        self.instance_group.add_ingress_rule(self.load_balancer_group, ec2.Port.tcp(port), "From the load balancer")

    def _let_out(self, ports: tuple[int, ...]) -> None:
        for port in ports:
            self.instance_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Suppliers, packages, AWS APIs")
            if self._dual_stack:
                self.instance_group.add_egress_rule(ec2.Peer.any_ipv6(), ec2.Port.tcp(port), "Suppliers, packages, AWS APIs")


def outbound_ports(suppliers_url: str) -> tuple[int, ...]:
    """HTTPS for packages and AWS APIs, and the port of the suppliers."""
    url = urlsplit(suppliers_url)
    return tuple(sorted({443, url.port or (443 if url.scheme == "https" else 80)}))
