"""A wheel with a program in it is of one platform, though of any Python."""
from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class WithProgram(Distribution):
    def has_ext_modules(self):
        return True


setup(distclass=WithProgram, cmdclass={"bdist_wheel": PlatformWheel})
