"""The container lane's shared cache: ElastiCache for Valkey, serverless or a primary with replicas; always TLS and a password.

It stands in the lane's own stack: nothing else uses it, and no export of another stack then holds on to a cache that is to be
changed or removed. Its content is worth nothing (recent answers), so it is deleted with its stack and never backed up.
"""

from __future__ import annotations

from aws_cdk import CfnResource, Names, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.cache_user import ACCESS, NO_ACCESS, PASSWORD_VARIABLE, USER
from infra.components.network import Network
from infra.config import Stage

PORT = 6379
ENGINE = "valkey"
ENGINE_VERSION, MAJOR_VERSION = "8.0", "8"
PASSWORD_LENGTH = 64  # of 16 to 128 that a user's password may have
MOST_SERVERLESS_SUBNETS = 3


class Cache(Construct):
    """Owns the cache, its one user with a generated password, and the way to it from the instances alone.

    `environment` and `reading_policy` are what the instances need: the address, and the secret with the password, which stands
    in no template and no user data.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network) -> None:
        super().__init__(scope, id)
        self._base = Names.unique_resource_name(self, max_length=30, separator="-").lower()
        self._subnets = network.instance_subnet_ids
        self.secret = self._password()
        self._security_group = self._reachable_from(network)
        users = self._users()
        self._address, self._port = (
            self._serverless(stage, users) if stage.cache.kind == "serverless" else self._nodes(stage, users)
        )

    def environment(self, secret: str | None) -> dict[str, str]:
        """The variables of a service that reads `secret`, if any, besides the cache's own."""
        secrets = [name for name in (secret, self.secret.secret_arn) if name]
        return {
            "CROSSOVER_CACHE_URL": f"rediss://{USER}@{self._address}:{self._port}",
            "CROSSOVER_SECRET": ",".join(secrets),
        }

    def reading_policy(self) -> dict[str, iam.PolicyDocument]:
        reads = iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[self.secret.secret_arn])
        return {"cache": iam.PolicyDocument(statements=[reads])}

    def _password(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "Password",
            description="Password of the search service for its cache, as the variable that it reads",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106
                generate_string_key=PASSWORD_VARIABLE,
                password_length=PASSWORD_LENGTH,
                exclude_punctuation=True,
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        _pin(secret.node.default_child, "CachePassword")
        acknowledge(
            secret, "SMG4", "Instances read it at boot only: it is changed by hand, with two valid at once (docs/search.md)."
        )
        return secret

    def _reachable_from(self, network: Network) -> ec2.SecurityGroup:
        """The rule that lets the instances out stands here too: their own stack must not need this one."""
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=network.vpc, description="Cache of the search service", allow_all_outbound=False
        )
        group.add_ingress_rule(network.instance_group, ec2.Port.tcp(PORT), "From the container lane")
        ec2.CfnSecurityGroupEgress(
            self,
            "FromInstances",
            group_id=network.instance_group.security_group_id,
            destination_security_group_id=group.security_group_id,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            description="To the cache",
        )
        return group

    def _users(self) -> elasticache.CfnUserGroup:
        """The service, and a `default` that can do nothing: a group must have one unless its engine says otherwise."""
        password = self.secret.secret_value_from_json(
            PASSWORD_VARIABLE
        ).unsafe_unwrap()  # a reference that CloudFormation resolves
        users = [
            elasticache.CfnUser(
                self,
                id,
                engine=ENGINE,
                user_id=f"{self._base}-{suffix}",
                user_name=name,
                access_string=access,
                passwords=[password],
            )
            for id, suffix, name, access in (("User", "user", USER, ACCESS), ("DefaultUser", "default", "default", NO_ACCESS))
        ]
        group = elasticache.CfnUserGroup(
            self, "Users", engine=ENGINE, user_group_id=f"{self._base}-users", user_ids=[user.ref for user in users]
        )
        for resource, id in zip((*users, group), ("CacheUser", "CacheDefaultUser", "CacheUsers"), strict=True):
            _pin(resource, id)
        return group

    def _serverless(self, stage: Stage, users: elasticache.CfnUserGroup) -> tuple[str, str]:
        cache = elasticache.CfnServerlessCache(
            self,
            "Serverless",
            engine=ENGINE,
            major_engine_version=MAJOR_VERSION,
            serverless_cache_name=f"{self._base}-cache",
            description=f"Recent answers, {stage.name}",
            cache_usage_limits=elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
                data_storage=elasticache.CfnServerlessCache.DataStorageProperty(unit="GB", maximum=stage.cache.max_gb)
            ),
            subnet_ids=self._subnets[:MOST_SERVERLESS_SUBNETS],
            security_group_ids=[self._security_group.security_group_id],
            user_group_id=users.ref,
        )
        _pin(cache, "CacheServerless")
        return cache.attr_endpoint_address, cache.attr_endpoint_port

    def _nodes(self, stage: Stage, users: elasticache.CfnUserGroup) -> tuple[str, str]:
        """One shard; the primary endpoint's name follows a failover to a replica in another zone."""
        replicated = stage.cache.replicas > 0
        subnets = elasticache.CfnSubnetGroup(
            self, "Subnets", description=f"Cache of the search service, {stage.name}", subnet_ids=self._subnets
        )
        cache = elasticache.CfnReplicationGroup(
            self,
            "Nodes",
            replication_group_description=f"Recent answers, {stage.name}",
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
            cache_node_type=stage.cache.node_type,
            num_cache_clusters=1 + stage.cache.replicas,
            automatic_failover_enabled=replicated,
            multi_az_enabled=replicated,
            port=PORT,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[self._security_group.security_group_id],
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            user_group_ids=[users.ref],
        )
        _pin(subnets, "CacheSubnets")
        _pin(cache, "CacheNodes")
        acknowledge(cache, "AEC6", "A user of its own with a password and two commands takes the place of the shared token.")
        if not replicated:
            acknowledge(cache, "AEC4", "The stage asks for one node: when it fails the cache is cold, and searches go on.")
        return cache.attr_primary_end_point_address, str(PORT)


def _pin(resource: object, logical_id: str) -> None:
    """A fixed logical id: a construct that moves must not replace what it made. Deleted with the stack, and when replaced."""
    assert isinstance(resource, CfnResource)
    resource.override_logical_id(logical_id)
    resource.apply_removal_policy(RemovalPolicy.DESTROY)
