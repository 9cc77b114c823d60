"""What an engine's command line knows: a flag per concept, with the versions in which it exists."""

from __future__ import annotations

import re

from ..value_types import dataclass


class LaunchError(ValueError):
    """What an engine cannot say, or does not have: in words."""


@dataclass(frozen=True, slots=True)
class LaunchFlag:
    """One flag in the versions `since` … before `gone`."""

    concept: str
    flag: str
    since: str
    gone: str = ""

    def exists_in(self, version: str) -> bool:
        """Whether a version takes it."""
        asked = version_key(version)
        return version_key(self.since) <= asked and (not self.gone or asked < version_key(self.gone))


@dataclass(frozen=True, slots=True)
class EngineFlags:
    """The flags of one engine."""

    engine: str
    program: str
    oldest: str
    newest: str
    """The newest version that was read."""
    source: str
    flags: tuple[LaunchFlag, ...]

    def of(self, concept: str, version: str) -> str | None:
        """The flag of a concept in a version; None where the version has none."""
        found = [entry for entry in self.flags if entry.concept == concept and entry.exists_in(version)]
        return found[-1].flag if found else None

    def need(self, concept: str, version: str, what: str) -> str:
        """The same. Raises LaunchError with the version that has it."""
        flag = self.of(concept, version)
        if flag is None:
            known = [entry for entry in self.flags if entry.concept == concept]
            since = f"; it came with {known[-1].since}" if known and not known[-1].gone else ""
            raise LaunchError(f"{self.engine} {version} has no flag for {what}{since}")
        return flag

    def concept_of(self, flag: str) -> str | None:
        """What a flag stands for."""
        return next((entry.concept for entry in self.flags if entry.flag == flag), None)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions between which a flag comes or goes, newest first: what there is to choose from."""
        known = {self.oldest, self.newest, *(entry.since for entry in self.flags)}
        known |= {entry.gone for entry in self.flags if entry.gone}
        return tuple(sorted(known, key=version_key, reverse=True))

    def checked(self, version: str) -> str:
        """A version to emit for; the newest where none is stated. Raises LaunchError for one before the oldest read."""
        if not version:
            return self.newest
        if version_key(version) < version_key(self.oldest):
            raise LaunchError(
                f"{self.engine} {version} is older than any version whose flags are known; {self.oldest} is the oldest"
            )
        return version


def version_key(version: str) -> tuple[int, ...]:
    """Numbers to compare versions by; what follows them (`rc1`, `+cu128`) does not count.

    >>> version_key("0.6.6.post1") < version_key("0.10.2")
    True
    """
    numbers = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in numbers[1].split(".")) if numbers else (0,)
