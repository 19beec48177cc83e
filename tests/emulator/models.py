"""Compares what stackctl sends with botocore's models of the services.

    python models.py requests < requests.json
    python models.py operations < operations.json

`requests.json` is a list of {"method", "path", "headers": [[name, value], ...], "body"}, the body
in base64 and the path with its query, as they went over the wire. Each request must be one
operation of its service; each member that it sends must be a member of the operation's input, of
the right type, one of the enum's values, as long, as large and of the pattern that the model says;
each required member must be there.

`operations.json` is a list of ["service:Operation", "service:Action"].

Prints {"operations": {name: count}, "problems": [text, ...]}.
"""

import base64
import collections
import datetime
import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

import botocore.session

# Signing name to the models that have it.
MODELS = {
    "apigateway": ["apigatewayv2", "apigateway"],
    "iam": ["iam"],
    "lambda": ["lambda"],
    "logs": ["logs"],
    "s3": ["s3"],
    "sns": ["sns"],
    "sqs": ["sqs"],
    "sts": ["sts"],
}
# Headers of the protocol, the signature and the SDK, which no operation declares. `x-id` of the
# query is the SDK's as well.
COMMON_HEADERS = re.compile(
    r"(accept|accept-encoding|amz-sdk-.*|authorization|connection|content-encoding|content-length"
    r"|content-md5|content-type|expect|host|trailer|user-agent|x-amz-checksum-.*"
    r"|x-amz-content-sha256|x-amz-date|x-amz-decoded-content-length|x-amz-sdk-checksum-algorithm"
    r"|x-amz-security-token|x-amz-target|x-amz-trailer|x-amz-user-agent|x-amzn-query-mode)$"
)

session = botocore.session.get_session()
loaded = {}


def model(name):
    if name not in loaded:
        loaded[name] = session.get_service_model(name)
    return loaded[name]


class Problems:
    """What is wrong with one request."""

    def __init__(self, operation):
        self.operation = operation
        self.found = []

    def add(self, path, text):
        self.found.append(f"{self.operation}: {path}: {text}")


def check(value, shape, path, problems):
    """A value in JSON's terms against a shape."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return problems.add(path, f"{value!r} is not a structure")
        by_wire = {
            member.serialization.get("name", name): (name, member)
            for name, member in shape.members.items()
        }
        for key, inner in value.items():
            if key not in by_wire:
                problems.add(f"{path}.{key}", "no such member")
            else:
                check(inner, by_wire[key][1], f"{path}.{key}", problems)
        for wire, (name, _) in by_wire.items():
            if name in shape.required_members and wire not in value:
                problems.add(f"{path}.{wire}", "is required, and is not sent")
    elif kind == "list":
        if not isinstance(value, list):
            return problems.add(path, f"{value!r} is not a list")
        within(len(value), shape, path, "entries", problems)
        for index, inner in enumerate(value):
            check(inner, shape.member, f"{path}[{index}]", problems)
    elif kind == "map":
        if not isinstance(value, dict):
            return problems.add(path, f"{value!r} is not a map")
        within(len(value), shape, path, "entries", problems)
        for key, inner in value.items():
            check(key, shape.key, f"{path} (key)", problems)
            check(inner, shape.value, f"{path}.{key}", problems)
    elif kind == "boolean":
        if value not in (True, False, "true", "false"):
            problems.add(path, f"{value!r} is not a boolean")
    elif kind in ("integer", "long", "float", "double"):
        number = as_number(value)
        if number is None or (kind in ("integer", "long") and number != int(number)):
            problems.add(path, f"{value!r} is not a number of type {kind}")
        else:
            within(number, shape, path, "", problems)
    elif kind == "string":
        if not isinstance(value, str):
            return problems.add(path, f"{value!r} is not a string")
        within(len(value), shape, path, "characters", problems)
        enum = shape.metadata.get("enum")
        # An empty string takes a value away in a PATCH.
        if enum and value not in enum and value != "":
            problems.add(path, f"{value!r} is not one of {enum}")
        pattern = shape.metadata.get("pattern")
        if pattern and value != "" and not matches(pattern, value):
            problems.add(path, f"{value!r} does not match {pattern}")


def matches(pattern, value):
    for java, python in ((r"\p{L}", r"^\W\d_"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        if java in pattern:
            # A class of Unicode categories: Python has none, and what we send fits all three.
            return True
    try:
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    except re.error:
        return True


def as_number(value):
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def within(size, shape, path, unit, problems):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        problems.add(path, f"{size} {unit} are not within {least} and {most}")


def from_xml(element, shape):
    """An XML element in JSON's terms, as its shape reads it."""
    kind = shape.type_name
    local = lambda tag: tag.split("}")[-1]
    if kind == "structure":
        members = {
            member.serialization.get("name", name): member
            for name, member in shape.members.items()
        }
        value = {}
        for key, text in element.attrib.items():
            prefix = "xsi:" if "XMLSchema-instance" in key else ""
            value[prefix + local(key)] = text
        for child in element:
            name = local(child.tag)
            member = members.get(name)
            if member is None:
                value[name] = child.text
            elif member.type_name == "list" and member.serialization.get("flattened"):
                value.setdefault(name, []).append(from_xml(child, member.member))
            else:
                value[name] = from_xml(child, member)
        return value
    if kind == "list":
        return [from_xml(child, shape.member) for child in element]
    return element.text or ""


def from_form(pairs):
    """`Tags.member.1.Key=a` in JSON's terms: maps and lists as nested dictionaries."""
    tree = {}
    for key, value in pairs:
        at = tree
        *parents, last = key.split(".")
        for part in parents:
            at = at.setdefault(part, {})
        at[last] = value
    return tree


def of_form(tree, shape):
    """Lists of the query protocol, `member.1`, become lists; maps, `entry.1.key`, maps."""
    if shape.type_name == "structure" and isinstance(tree, dict):
        return {
            key: of_form(inner, shape.members[key]) if key in shape.members else inner
            for key, inner in tree.items()
        }
    if shape.type_name == "list" and isinstance(tree, dict):
        items = tree.get("member", tree)
        ordered = sorted(items.items(), key=lambda pair: int(pair[0]))
        return [of_form(inner, shape.member) for _, inner in ordered]
    if shape.type_name == "map" and isinstance(tree, dict):
        return {pair["key"]: pair["value"] for pair in tree["entry"].values()}
    return tree


def route(service, method, path, query):
    """The operation that a method, a path and a query name, and the path's parameters."""
    best = None
    for name in MODELS[service]:
        for operation in model(name).operation_names:
            shape = model(name).operation_model(operation)
            wanted = shape.http.get("requestUri", "/")
            template, _, literals = wanted.partition("?")
            if shape.http.get("method") != method:
                continue
            if service == "s3" and not template.startswith("/{Bucket}"):
                # The bucket is in the path here, as it is for an emulator.
                if template != "/":
                    continue
            pattern = re.sub(r"\\{([\w\\-]+?)(\\\+)?\\}", group, re.escape(template.rstrip("/") or "/"))
            found = re.fullmatch(pattern, path.rstrip("/") or "/")
            needed = dict(urllib.parse.parse_qsl(literals, keep_blank_values=True))
            has = all(query.get(key) == value for key, value in needed.items() if value)
            has = has and all(key in query for key in needed)
            if found is None or not has:
                continue
            asked = query.get("x-id")
            weight = (asked == operation, len(needed), template.count("/"))
            if best is None or weight > best[0]:
                names = re.findall(r"\{([^}+]+)\+?\}", template)
                values = [urllib.parse.unquote(value) for value in found.groups()]
                parameters = dict(zip(names, values))
                best = (weight, shape, parameters, set(needed))
    return best and best[1:]


def group(found):
    return "(.+)" if found[2] else "([^/]+)"


def rest(service, request, body):
    """A request of the REST protocols: the operation, and its input in JSON's terms."""
    path, _, text = request["path"].partition("?")
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
    query = dict(pairs)
    found = route(service, request["method"], path, query)
    if found is None:
        raise ValueError(f"no operation of {service} is {request['method']} {request['path']}")
    operation, parameters, literals = found
    shape, problems = operation.input_shape, Problems(operation.name)
    headers = {name.lower(): value for name, value in request["headers"]}
    value, payload = {}, shape and shape.serialization.get("payload")
    members = dict(shape.members) if shape else {}
    left_query = {key for key, _ in pairs} - literals - {"x-id"}
    left_headers = {name for name in headers if not COMMON_HEADERS.match(name)}
    for name, member in members.items():
        place, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and wire in parameters:
            value[wire] = parameters[wire]
        elif place == "querystring" and member.type_name == "list":
            if wire in query:
                value[wire] = [inner for key, inner in pairs if key == wire]
        elif place == "querystring" and wire in query:
            value[wire] = query[wire]
        elif place == "header" and wire.lower() in headers:
            value[wire] = headers[wire.lower()]
            left_headers.discard(wire.lower())
        elif place == "headers":
            started = {key for key in headers if key.startswith(wire.lower())}
            value[wire] = {key[len(wire):]: headers[key] for key in started}
            left_headers -= started
        if place == "querystring":
            left_query.discard(wire)
    for key in sorted(left_query):
        problems.add(f"query {key}", "no such member")
    for name in sorted(left_headers):
        problems.add(f"header {name}", "no such member")
    # The bucket's name is in the host for others; a list of enum names is one header.
    for name, member in members.items():
        wire = member.serialization.get("name", name)
        if member.serialization.get("location") == "header" and wire in value:
            if member.type_name == "list":
                value[wire] = value[wire].split(",")
            if member.type_name == "timestamp":
                del value[wire], members[name]
    xml = operation.service_model.metadata["protocol"] == "rest-xml"
    if payload and members[payload].type_name == "structure" and body:
        member = members[payload]
        inner = ElementTree.fromstring(body) if xml else json.loads(body)
        wire = member.serialization.get("name", payload)
        value[wire] = from_xml(inner, member) if xml else inner
    elif payload and body:
        value[members[payload].serialization.get("name", payload)] = body.decode("utf-8", "replace")
    elif body and not payload:
        sent = json.loads(body)
        located = {
            member.serialization.get("name", name)
            for name, member in members.items()
            if member.serialization.get("location")
        }
        for key in sent.keys() & located:
            problems.add(f"body {key}", "does not belong into the body")
        value.update({key: inner for key, inner in sent.items() if key not in located})
    return operation, value, problems


def parse(request):
    headers = {name.lower(): value for name, value in request["headers"]}
    body = base64.b64decode(request["body"])
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", ""))
    service = scope[1]
    protocol = model(MODELS[service][0]).metadata["protocol"]
    if protocol == "query":
        pairs = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
        fields = dict(pairs)
        operation = model(service).operation_model(fields["Action"])
        tree = from_form([pair for pair in pairs if pair[0] not in ("Action", "Version")])
        shape = operation.input_shape
        return service, operation, of_form(tree, shape) if shape else tree, Problems(operation.name)
    if protocol == "json":
        target = headers["x-amz-target"].split(".")[-1]
        operation = model(service).operation_model(target)
        return service, operation, json.loads(body or b"{}"), Problems(operation.name)
    operation, value, problems = rest(service, request, body)
    return service, operation, value, problems


def requests(list_of):
    operations, problems = collections.Counter(), []
    for request in list_of:
        try:
            service, operation, value, found = parse(request)
        except Exception as error:
            problems.append(f"{request['method']} {request['path']}: {type(error).__name__}: {error}")
            continue
        operations[f"{service}:{operation.name}"] += 1
        if operation.input_shape is not None:
            check(value, operation.input_shape, "input", found)
        elif value:
            found.add("input", f"takes nothing, and got {value}")
        problems += found.found
    return {"operations": dict(sorted(operations.items())), "problems": sorted(set(problems))}


def operations(list_of):
    """Each operation is one of its service, and the action fits it: an action of API Gateway is
    the method, one of the others is an action that the service has by that name."""
    problems = []
    for name, action in list_of:
        service, _, operation = name.partition(":")
        models = [model(it) for it in MODELS.get(service, [])]
        having = [it for it in models if operation in it.operation_names]
        if not having:
            problems.append(f"{name} is no operation")
        elif service == "apigateway":
            methods = {it.operation_model(operation).http["method"] for it in having}
            verb = action.split(":")[1]
            if verb not in methods:
                problems.append(f"{name} is a {methods}, not a {verb}")
        elif action.split(":")[0] != service:
            problems.append(f"{name} and {action} are of different services")
        elif service != "s3" and action not in (
            name,
            "lambda:GetFunctionConfiguration",
            "lambda:InvokeFunction",
        ):
            problems.append(f"{name} has the action of its name, not {action}")
    return {"operations": {name: 1 for name, _ in list_of}, "problems": problems}


if __name__ == "__main__":
    print(json.dumps({"requests": requests, "operations": operations}[sys.argv[1]](json.load(sys.stdin))))
