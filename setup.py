"""Installation with pip of the library and the dsm command, which need no ROS."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
PACKAGE = ElementTree.parse(HERE / "package.xml").getroot()  # the only place of the version


def required(name: str) -> list[str]:
    """Return the requirements in a file."""
    lines = (HERE / "requirements" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


setup(
    name="dsm_ros",
    version=PACKAGE.findtext("version"),
    description=PACKAGE.findtext("description"),
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)),
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
    keywords="relocalization localization robotics ros2 camera pose",
    python_requires=">=3.10",
    packages=[*find_packages(include=["dsm_ros", "dsm_ros.*"]), "dsm_ros.models", "dsm_ros.config"],
    package_dir={"dsm_ros.models": "models", "dsm_ros.config": "config"},
    package_data={
        "dsm_ros": ["py.typed"],
        "dsm_ros.models": ["*.safetensors", "*.md"],
        "dsm_ros.config": ["*"],
        "dsm_ros.datasets.rooms": ["textures/*"],
    },
    install_requires=required("runtime.txt"),
    extras_require={name: required(f"{name}.txt") for name in ("train", "onnx", "openvino", "peers")},
    entry_points={"console_scripts": ["dsm=dsm_ros.cli.main:main"]},
)
