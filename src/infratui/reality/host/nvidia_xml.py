"""`nvidia-smi -q -x`: XML without entities of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text import UnreadableError, mebibytes, whole
from .nvidia import _NOTHING
from .reading import Card, Listing, Slice

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_xml(text: str) -> Listing:
    """The cards of the XML form. Raises UnreadableError for entities and for XML that ends early."""
    # The form declares an external type and no entity: what declares one wants to be expanded.
    if "<!ENTITY" in text.upper() or "[" in text[text.find("<!DOCTYPE") : text.find(">", text.find("<!DOCTYPE")) + 1]:
        raise UnreadableError("XML with entities of its own is not read; give what nvidia-smi -q -x prints")
    from xml.etree.ElementTree import ParseError, fromstring

    try:
        root = fromstring(text[text.find("<") :])
    except (ParseError, ValueError, RecursionError) as error:
        raise UnreadableError(f"not whole XML ({error}); give all that nvidia-smi -q -x prints") from None
    cards = tuple(_card(at, element) for at, element in enumerate(root.iter("gpu")))
    return Listing("nvidia-smi -x", cards)


def _card(at: int, gpu: Element) -> Card:
    memory = mebibytes(_said(gpu, "fb_memory_usage/total"))
    slices = tuple(
        Slice("", mebibytes(_said(part, "fb_memory_usage/total"))) for part in gpu.findall("mig_devices/mig_device")
    )
    processes = [entry for entry in gpu.findall("processes/process_info") if "C" in _said(entry, "type")]
    return Card(
        " ".join(_said(gpu, "product_name").split()),
        memory or None,
        at,
        mebibytes(_said(gpu, "fb_memory_usage/used")),
        whole(_said(gpu, "utilization/gpu_util").rstrip("% ")),
        len(processes),
        slices if slices or _said(gpu, "mig_mode/current_mig") == "Enabled" else None,
        _NOTHING if memory == 0 else "",
    )


def _said(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
