"""Settings: read once, every wrong variable named."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from app.core.errors import ConfigurationError
from app.settings import SHIPPED_CATALOGUE, Settings
from tests.conftest import ROOT


def test_defaults_hold_without_any_variable() -> None:
    settings = Settings.from_environment({})
    assert (settings.lane, settings.deadline_ms, settings.markup_percent) == ("local", 1_500, Decimal(8))
    assert settings.catalogue == SHIPPED_CATALOGUE
    assert settings.bundle_sha256 is None


def test_the_catalogue_sees_the_environment_and_the_suppliers_url() -> None:
    settings = Settings.from_environment({"CROSSOVER_SUPPLIERS_URL": "http://127.0.0.1:1/", "RAPID_KEY": "k"})
    assert settings.catalogue_variables["suppliers"] == "http://127.0.0.1:1"
    assert settings.catalogue_variables["RAPID_KEY"] == "k"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LANE", "ec2", "CROSSOVER_LANE: 'ec2' is not one of lambda, container, local"),
        ("DEADLINE_MS", "soon", "CROSSOVER_DEADLINE_MS: 'soon' must be a whole number from 50 to 60000"),
        ("DEADLINE_MS", "1500.7", "CROSSOVER_DEADLINE_MS: '1500.7' must be a whole number"),
        ("DEADLINE_MS", "1", "CROSSOVER_DEADLINE_MS: '1' must be"),
        ("MARKUP_PERCENT", "NaN", "CROSSOVER_MARKUP_PERCENT: 'NaN' must be a number from 0 to 100"),
        ("SUPPLIERS_URL", "ftp://x", "CROSSOVER_SUPPLIERS_URL: 'ftp://x' must begin with http:// or https://"),
    ],
)
def test_a_wrong_variable_is_named_with_what_would_be_right(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Settings.from_environment({f"CROSSOVER_{name}": value})


ON = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318/"}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_SERVICE_NAME": "hotels", "OTEL_TRACES_SAMPLER": "always_on"},
        {**ON, "OTEL_SDK_DISABLED": "true"},
        {**ON, "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_there_are_no_traces_without_an_endpoint_or_where_they_are_switched_off(variables: dict[str, str]) -> None:
    assert Settings.from_environment(variables).traces is None


def test_traces_have_the_standard_defaults_but_for_the_share_of_searches() -> None:
    traces = Settings.from_environment(ON).traces
    assert traces is not None
    assert traces.endpoint == "http://127.0.0.1:4318/v1/traces"
    assert (traces.sampler, traces.ratio) == ("parentbased_traceidratio", 0.1)
    assert (traces.headers, traces.resource) == ({}, {"service.name": "crossover"})


@pytest.mark.parametrize(("argument", "ratio"), [({}, 1.0), ({"OTEL_TRACES_SAMPLER_ARG": "0.5"}, 0.5)])
def test_a_sampler_that_is_named_has_the_standards_ratio(argument: dict[str, str], ratio: float) -> None:
    traces = Settings.from_environment({**ON, "OTEL_TRACES_SAMPLER": "traceidratio", **argument}).traces
    assert traces is not None and traces.ratio == ratio


def test_the_endpoint_of_traces_goes_first_and_is_taken_as_it_is() -> None:
    traces = Settings.from_environment({**ON, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector/in"}).traces
    assert traces is not None
    assert traces.endpoint == "https://collector/in"


def test_the_path_of_traces_is_added_before_the_base_urls_query() -> None:
    traces = Settings.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector/in/?api-key=k"}).traces
    assert traces is not None
    assert traces.endpoint == "https://collector/in/v1/traces?api-key=k"


def test_headers_and_endpoint_stay_out_of_sight() -> None:
    secret = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318?api-key=s3cret",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20s3cret",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x=s3cret",
    }
    traces = Settings.from_environment(secret).traces
    assert traces is not None
    assert traces.headers == {"authorization": "Basic s3cret", "x": "s3cret"}
    assert "s3cret" not in repr(traces)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:s3cret@c"}, "OTEL_EXPORTER_OTLP_ENDPOINT: must have no user and password"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://s3cret@c"}, "OTEL_EXPORTER_OTLP_ENDPOINT: must have no user and password"),
        ({**ON, "OTEL_TRACES_EXPORTER": "console"}, "OTEL_TRACES_EXPORTER: 'console' is not known here, only otlp and none"),
        (
            {**ON, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not spoken here, only http/json",
        ),
        ({**ON, "OTEL_TRACES_SAMPLER": "some"}, "OTEL_TRACES_SAMPLER: 'some' is not one of always_on, always_off"),
        (
            {**ON, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "5%"},
            "OTEL_TRACES_SAMPLER_ARG: '5%' must be a number from 0 to 1",
        ),
        (
            {**ON, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "nan"},
            "OTEL_TRACES_SAMPLER_ARG: 'nan' must be a number from 0 to 1",
        ),
        ({**ON, "OTEL_EXPORTER_OTLP_HEADERS": "a=b,s3cret"}, "OTEL_EXPORTER_OTLP_HEADERS: entry 2 must be key=value"),
        ({**ON, "OTEL_RESOURCE_ATTRIBUTES": "=x"}, "OTEL_RESOURCE_ATTRIBUTES: entry 1 must be key=value"),
    ],
)
def test_a_wrong_variable_of_traces_is_one_line_that_tells_no_secret(variables: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as raised:
        Settings.from_environment(variables)
    assert "\n" not in str(raised.value) and "s3cret" not in str(raised.value)


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
@pytest.mark.parametrize(
    "url",
    ["s3cret:4317", "http://", "http://a:s3cret", "http://a:0", "http://[s3cret", "grpc://c", "http://a/\u00e9", "http://a\n"],
)
def test_an_endpoint_that_is_no_url_is_one_line_that_does_not_repeat_it(name: str, url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment({name: url})
    assert str(raised.value) == f"{name}: must be http:// or https:// and a host, such as http://127.0.0.1:4318"


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"])
@pytest.mark.parametrize(
    "header", ["x=s3cret%C3%A9", "x=s3cret\u00e9", "x=s3cret%0D%0Ay:z", "x=%00s3cret", "s3cret key=x", "s3cr\u00e9t=x"]
)
def test_a_header_that_cannot_be_sent_is_one_line_that_tells_its_number_alone(name: str, header: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment({**ON, name: f"a=b,{header}"})
    wanted = "a header's name, such as x-api-key, and a value of printable ASCII characters once decoded"
    assert str(raised.value) == f"{name}: entry 2 must be {wanted}"


def test_every_variable_is_documented() -> None:
    documented = (ROOT / "docs" / "architecture.md").read_text()
    source = (ROOT / "app" / "settings.py").read_text()
    for name in re.findall(r'read\.\w+\("(\w+)"', source):
        assert f"`CROSSOVER_{name}`" in documented, name
    for name in re.findall(r'"(OTEL_\w+)"', source):
        assert f"`{name}`" in documented, name
