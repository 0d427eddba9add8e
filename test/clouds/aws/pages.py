"""Lists in small pages, when the switchboard asks for it: first an empty page, then so many entries on each.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination: a page may hold fewer entries than asked for, also
none, and is the last one only when it has no token. Who names resources by id is answered all of them.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

from .wire import Asked
from .world import world

_lists = {
    "DescribeImages": "imagesSet",
    "DescribeInstances": "reservationSet",
    "DescribeLaunchTemplateVersions": "launchTemplateVersionSet",
    "DescribeLaunchTemplates": "launchTemplates",
    "DescribeNetworkInterfaces": "networkInterfaceSet",
    "DescribeSnapshots": "snapshotSet",
    "DescribeSpotFleetRequests": "spotFleetRequestConfigSet",
    "DescribeSpotInstanceRequests": "spotInstanceRequestSet",
    "DescribeTags": "tagSet",
    "DescribeVolumes": "volumeSet",
    "DescribeAutoScalingGroups": "AutoScalingGroups",
    "DescribeLaunchConfigurations": "LaunchConfigurations",
    "DescribeInstanceInformation": "InstanceInformationList",
    "DescribeParameters": "Parameters",
    "ListCommands": "Commands",
}
_ids = r"(Image|Instance|LaunchTemplate|NetworkInterface|Snapshot|Volume|SpotInstanceRequest)Id\.1"


def is_paged(asked: Asked) -> bool:
    return world.page_size is not None and asked.action in _lists and asked.parameter(_ids) is None


def is_later(asked: Asked) -> bool:
    return asked.parameter("NextToken") is not None


def answer(asked: Asked, environ: dict[str, Any], start_response: Any, moto: Callable[..., Any]) -> list[bytes]:
    """One page of the whole list, which moto is asked for."""
    body = _without_page(asked, environ["wsgi.input"].read())
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    said: list[Any] = []
    whole = b"".join(moto(environ, lambda status, headers, *_: said.extend((status, headers))))
    status, headers = said
    if status.startswith("200"):
        whole = (_json if asked.service == "ssm" else _xml)(asked, whole)
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*kept, ("Content-Length", str(len(whole)))])
    return [whole]


def _without_page(asked: Asked, body: bytes) -> bytes:
    page = ("NextToken", "MaxResults", "MaxRecords")
    if asked.service == "ssm":
        return json.dumps({name: value for name, value in json.loads(body).items() if name not in page}).encode()
    return urlencode([pair for pair in parse_qsl(body.decode(), keep_blank_values=True) if pair[0] not in page]).encode()


def _cut(asked: Asked, entries: list[Any]) -> tuple[list[Any], str | None]:
    token = asked.parameter("NextToken")
    if token is None:
        return [], "0"
    start, end = int(token), int(token) + world.page_size
    return entries[start:end], str(end) if end < len(entries) else None


def _json(asked: Asked, whole: bytes) -> bytes:
    reply = json.loads(whole)
    page, token = _cut(asked, reply.get(_lists[asked.action], []))
    return json.dumps({_lists[asked.action]: page, **({} if token is None else {"NextToken": token})}).encode()


def _xml(asked: Asked, whole: bytes) -> bytes:
    root = ElementTree.fromstring(whole)
    namespace = (re.match(r"\{.*\}", root.tag) or [""])[0]
    ElementTree.register_namespace("", namespace.strip("{}"))
    is_ec2 = asked.service == "ec2"
    holder = root if is_ec2 else root.find(f"{namespace}{asked.action}Result")
    name = f"{namespace}{'nextToken' if is_ec2 else 'NextToken'}"
    entries = holder.find(f"{namespace}{_lists[asked.action]}")
    page, token = _cut(asked, [] if entries is None else list(entries))
    for entry in [] if entries is None else list(entries):
        if entry not in page:
            entries.remove(entry)
    for old in holder.findall(name):
        holder.remove(old)
    if token is not None:
        ElementTree.SubElement(holder, name).text = token
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
