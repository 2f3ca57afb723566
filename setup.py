"""pip install of the parts that need no ROS: the library and the dsm command."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def required(name: str) -> list[str]:
    """Return what a file of requirements pins, as lowest versions."""
    return [line.replace("==", ">=") for line in (HERE / "requirements" / name).read_text().splitlines()]


setup(
    name="dsm_ros",
    version="0.1.0",
    description="Camera relocalization in a prebuilt map by dense scene matching",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[*find_packages(include=["dsm_ros", "dsm_ros.*"]), "dsm_ros.models", "dsm_ros.config"],
    package_dir={"dsm_ros.models": "models", "dsm_ros.config": "config"},
    package_data={
        "dsm_ros.models": ["*.safetensors", "*.md"],
        "dsm_ros.config": ["*"],
        "dsm_ros.datasets.rooms": ["textures/*"],
    },
    install_requires=required("runtime.txt"),
    extras_require={name: required(f"{name}.txt") for name in ("train", "onnx", "peers")},
    entry_points={"console_scripts": ["dsm=dsm_ros.cli.main:main"]},
)
