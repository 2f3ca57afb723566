"""Launch the relocalizer, RViz and the image stream of a rendered room, without a camera or a recording.

Example: ros2 launch dsm_ros demo.launch.py
"""

from pathlib import Path

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.substitutions import ExecutableInPackage

RELOCALIZER = Path(__file__).with_name("relocalizer.launch.py")
ARGUMENTS = {
    "map": ("room.map", "Folder of the map, which is built if the folder does not exist."),
    "map_sequence": (
        "rooms:7/furnished=1",
        "Sequence from which the map is built: a rendered room, or a recording with depth and poses.",
    ),
    "sequence": ("rooms:7/furnished=1,walk=1", "Sequence whose frames are published as camera images."),
    "frames": ("::", "Frames of the sequence as START:STOP:STEP, for example 0:100:5; :: means all frames."),
    "rate": ("30.0", "Frames per second."),
    "rviz": ("true", "Start RViz with dsm.rviz."),
}


def generate_launch_description() -> LaunchDescription:
    """Build the map if there is none, then start the relocalizer, the image stream and RViz."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[Action]:
    """Return the processes to start now; the others start when the map is built."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    relocalizer = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(RELOCALIZER)))
    frames = ("--frames", value["frames"], "--rate", value["rate"])
    player = run("dsm_ros.demo.sequence_player", value["sequence"], *frames)
    if Path(value["map"]).exists():
        return [relocalizer, player]
    build = run("dsm_ros", "map", "build", value["map_sequence"], value["map"], "--frames", "::5")

    def when_built(event: ProcessExited, context: LaunchContext) -> list[Action]:
        failed = EmitEvent(event=Shutdown(reason="the map could not be built"))
        return [failed] if event.returncode else [relocalizer, player]

    return [RegisterEventHandler(OnProcessExit(target_action=build, on_exit=when_built)), build]


def run(*module: str) -> ExecuteProcess:
    """Return a Python module as a process, with the libraries that install_libraries installed."""
    python = ExecutableInPackage(executable="python", package="dsm_ros")
    return ExecuteProcess(cmd=[python, "-m", *module], name=module[0].split(".")[-1], output="screen")
