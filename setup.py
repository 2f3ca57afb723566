"""pip install of the parts that need no ROS: the library and the dsm command."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
RUNTIME = (HERE / "requirements" / "runtime.txt").read_text().splitlines()

setup(
    name="dsm_ros",
    version="0.1.0",
    description="Camera relocalization in a prebuilt map by dense scene matching",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[*find_packages(include=["dsm_ros", "dsm_ros.*"]), "dsm_ros.models", "dsm_ros.config"],
    package_dir={"dsm_ros.models": "models", "dsm_ros.config": "config"},
    package_data={"dsm_ros.models": ["*.safetensors", "*.md"], "dsm_ros.config": ["*"]},
    install_requires=[line.replace("==", ">=") for line in RUNTIME],
    entry_points={"console_scripts": ["dsm=dsm_ros.cli.main:main"]},
)
