from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from std_msgs.msg import Header

from dsm_ros.geometry.camera import Camera
from dsm_ros.localization.view import single_view
from dsm_ros.node.images.image_preparer import ImagePreparer

VIEWS = list(single_view(np.zeros((48, 64, 3), np.uint8), Camera(64, 48, 50.0, 50.0, 32.0, 24.0)))
GROUP = SimpleNamespace(close=lambda: {"": "message"}, received_s=3.0)


class FakeCameras:
    """Cameras that read one usable image and name one camera whose image is unusable."""

    def header(self, messages):
        return Header(frame_id="camera")

    def views(self, messages, rig_frame):
        assert (messages, rig_frame) == ({"": "message"}, "camera")
        return VIEWS, {"left": "unusable"}


def prepared(encode):
    return ImagePreparer(FakeCameras(), lambda: encode).prepare(GROUP)


def test_images_are_encoded():
    images = prepared(lambda views: [replace(view, name="encoded") for view in views])
    assert (images.header.frame_id, images.received_s) == ("camera", 3.0)
    views, unusable = images.views
    assert [view.name for view in views] == ["encoded"]
    assert unusable == {"left": "unusable"}


def test_images_are_only_decoded_while_no_map_is_loaded():
    assert prepared(None).views == (VIEWS, {"left": "unusable"})


def test_an_error_is_kept_for_the_report_of_the_image():
    def fail(views):
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        raise prepared(fail).views
