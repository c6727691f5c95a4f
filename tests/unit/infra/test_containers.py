"""The broker in a container has the settings of the embedded one."""

from infra.containers import broker_environment


def test_the_settings_of_the_embedded_broker_reach_the_container() -> None:
    environment = broker_environment(29_092)
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert environment["KAFKA_MESSAGE_MAX_BYTES"] == "2097152"
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:29092"
