"""A rig of two cameras in a rendered room: where its cameras are, and what they see."""

import cv2
import numpy as np
import torch

from dsm_ros.datasets.rooms.render import render
from dsm_ros.geometry.pose import invert, make_pose
from dsm_ros.localization.view import View

# A base 0.1 m below two cameras, of which one looks ahead and one to the right.
RIG_T = {
    "front": make_pose(np.eye(3), [0.0, -0.1, 0.0]),
    "right": make_pose(cv2.Rodrigues(np.array([0.0, np.pi / 2, 0.0]))[0], [0.1, -0.1, 0.05]),
}


def rig_pose(room, index):
    """The pose of the rig (map_T_rig) when its first camera is where the room's frame was taken."""
    return room.room.walks[room.spec.walk].pose(index / room.spec.frames) @ invert(RIG_T["front"])


def views_of(room, index):
    """What both cameras see when the first one is where the room's frame was taken."""
    views = []
    for name, rig_T_camera in RIG_T.items():
        pose = torch.from_numpy(rig_pose(room, index) @ rig_T_camera)
        image_HW3 = (render(room.room.on("cpu"), pose, room.camera)[0].numpy() * 255).astype(np.uint8)
        views.append(View(name, image_HW3, room.camera, rig_T_camera))
    return views


def covered(view):
    """The same view with a hand over the lens."""
    return View(view.name, np.zeros_like(view.image_HW3), view.camera, view.rig_T_camera)
