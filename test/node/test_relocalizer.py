"""A configured node is made whole or not at all, and lets go of everything, whatever fails."""

import gc
import threading
import weakref

import pytest
from fake_relocalizer import load
from rclpy.action import ActionServer
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from dsm_ros.errors import MapError
from dsm_ros.node.relocalizer_node import RelocalizerNode

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
EVERYTHING = {
    "map": "fake",
    "odom_frame": "odom",
    "base_frame": "base_link",
    "cameras": "front,left",
    "publish_initialpose": True,
    "watch_topic": "slam_pose",
}


class PlannedError(Exception):
    """Raised in place of creating or destroying an entity."""


class FragileNode(RelocalizerNode):
    """A node that fails to create one entity after some others."""

    def __init__(self):
        self.left, self.keeps_a_subscription = None, False
        super().__init__(load)
        self.set_parameters([Parameter(name, value=value) for name, value in EVERYTHING.items()])

    def fail_after(self, count):
        self.left = count

    def keep_a_subscription(self):
        """Fail to destroy one subscription."""
        self.keeps_a_subscription = True

    def destroy_subscription(self, subscription):
        if self.keeps_a_subscription:
            self.keeps_a_subscription = False
            raise PlannedError
        return super().destroy_subscription(subscription)

    def create_publisher(self, *arguments, **options):
        return self._counted(super().create_publisher, *arguments, **options)

    def create_subscription(self, *arguments, **options):
        return self._counted(super().create_subscription, *arguments, **options)

    def create_service(self, *arguments, **options):
        return self._counted(super().create_service, *arguments, **options)

    def create_timer(self, *arguments, **options):
        return self._counted(super().create_timer, *arguments, **options)

    def add_waitable(self, waitable):
        if not isinstance(waitable, ActionServer):  # rclpy's own part of a publisher or a subscription
            return super().add_waitable(waitable)
        return self._counted(super().add_waitable, waitable)

    def _counted(self, create, *arguments, **options):
        if self.left == 0:
            raise PlannedError
        if self.left is not None:
            self.left -= 1
        return create(*arguments, **options)


def entities(node):
    """The numbers of a node's entities and of this process's threads."""
    groups = (node.publishers, node.subscriptions, node.services, node.timers, node.waitables, node.clients)
    return [len(list(group)) for group in groups], threading.active_count()


def failures(node, transition):
    """Let a transition fail at its first entity, its second and so on; return how many times until it succeeds."""
    before, count = entities(node), 0
    node.fail_after(count)
    while transition() != SUCCESS:
        assert entities(node) == before
        count += 1
        node.fail_after(count)
    node.fail_after(None)
    return count


@pytest.fixture
def node(ros):
    node = FragileNode()
    yield node
    node.fail_after(None)
    node.release()
    node.destroy_node()


def test_a_configure_that_fails_anywhere_leaves_nothing_behind(node):
    before = entities(node)
    total = 0
    while total < 100:
        stages = failures(node, node.trigger_configure)
        assert stages >= 18  # publishers, subscriptions, services, timers and the action
        total += stages
        (after, _), (publishers, subscriptions, services, timers, waitables, _) = entities(node), before[0]
        assert after[:5] > [publishers, subscriptions, services, timers, waitables]
        assert any(isinstance(waitable, ActionServer) for waitable in node.waitables)
        assert node.trigger_cleanup() == SUCCESS
        assert entities(node) == before


def test_an_activate_that_fails_anywhere_leaves_the_node_inactive(node):
    assert node.trigger_configure() == SUCCESS
    assert failures(node, node.trigger_activate) == 4  # two subscriptions of each camera
    assert node.trigger_deactivate() == SUCCESS
    assert failures(node, node.trigger_activate) == 4


def test_deactivation_and_cleanup_return_to_the_state_before(node):
    unconfigured = entities(node)
    node.trigger_configure()
    configured = entities(node)
    for _ in range(3):
        node.trigger_activate()
        assert entities(node)[1] == configured[1] + 2  # the threads of the pipeline
        node.trigger_deactivate()
        assert entities(node) == configured
    node.trigger_activate()
    node.release()
    assert entities(node) == unconfigured


def test_the_localizer_goes_with_the_configuration(ros):
    localizers = []

    def remember(values, map_uri, in_use):
        loaded = load(values, map_uri, in_use)
        localizers.append(weakref.ref(loaded.localizer))
        return loaded

    node = RelocalizerNode(remember)
    node.set_parameters([Parameter("map", value="fake")])
    gc.disable()  # no cycles hold the map until some later collection
    try:
        for _ in range(2):
            node.trigger_configure()
            node.trigger_activate()
            assert localizers[-1]() is not None
            node.trigger_deactivate()
            node.trigger_cleanup()
            assert localizers[-1]() is None
    finally:
        gc.enable()
        node.destroy_node()


@pytest.mark.parametrize(
    ("error", "reason"), [(MapError("no map at x"), "no map at x"), (KeyError("levels"), "KeyError('levels')")]
)
def test_the_reason_of_a_failed_transition_is_logged(ros, capfd, error, reason):
    def fail(values, map_uri, in_use):
        raise error

    node = RelocalizerNode(fail)
    node.set_parameters([Parameter("map", value="fake")])
    assert node.trigger_configure() == FAILURE
    node.destroy_node()
    assert f"configure failed: {reason}" in capfd.readouterr().err


def test_names_that_cannot_work_are_refused_at_configure_with_one_line(ros, capfd):
    node = RelocalizerNode(load, parameter_overrides=[Parameter("cameras", value="front cam")])
    before = entities(node)
    assert node.trigger_configure() == FAILURE
    assert entities(node) == before
    node.destroy_node()
    said = [line for line in capfd.readouterr().err.splitlines() if "configure failed" in line]
    assert len(said) == 1
    assert "cameras: 'front cam' cannot be the prefix of a topic" in said[0]


def test_a_transition_that_breaks_is_cleaned_up_and_can_be_repeated(node, capfd):
    before = entities(node)
    node.trigger_configure()
    node.trigger_activate()
    node.keep_a_subscription()
    assert node.trigger_deactivate() == TransitionCallbackReturn.ERROR
    assert "deactivate failed: PlannedError" in capfd.readouterr().err
    after = entities(node)
    assert (after[0][:1], after[0][2:4], after[1]) == (before[0][:1], before[0][2:4], before[1])
    assert node.trigger_configure() == SUCCESS
