"""Runs a function's handler for stackctl's local cloud, by the Lambda Runtime API.

Standard library only, and little of it: what is imported here makes every cold start longer.
"""

import json
import os
import socket
import sys
import threading
import time


def main():
    end_with_the_cloud()
    sys.dont_write_bytecode = True
    # What is printed is there before a reply is, in the order in which it was printed.
    sys.stdout.reconfigure(line_buffering=True)
    root = os.environ["LAMBDA_TASK_ROOT"]
    # In place of this file's own folder.
    sys.path[0] = root
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    set_up_logging()
    try:
        handler = find_handler(os.environ["_HANDLER"])
    except Failure as failure:
        print(failure.log, flush=True)
        api.post("/init/error", failure.body, failure.kind)
        sys.exit(1)
    while True:
        headers, event = api.next()
        run(api, handler, headers, event)


def end_with_the_cloud():
    """Ends this process when the one that started it is gone; functions have no input."""
    held = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait():
        while os.read(held, 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


class Api:
    """The Runtime API over one connection that is kept."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = address
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.set_inheritable(False)
        self.file = self.socket.makefile("rb")

    def call(self, method, path, body=b"", headers=()):
        lines = ["%s /2018-06-01/runtime%s HTTP/1.1" % (method, path), "host: " + self.address]
        lines += ["content-length: %d" % len(body), *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode("ascii", "replace") + body)
        status = int(self.line().split()[1])
        found = {}
        while True:
            line = self.line()
            if not line:
                break
            name, _, value = line.partition(":")
            found[name.strip().lower()] = value.strip()
        data = self.file.read(int(found.get("content-length", 0)))
        return status, found, data

    def line(self):
        line = self.file.readline()
        if not line:
            # The cloud has ended.
            os._exit(1)
        return line.decode("iso-8859-1").rstrip("\r\n")

    def next(self):
        _, headers, body = self.call("GET", "/invocation/next")
        return headers, body

    def post(self, path, body, kind=None):
        sys.stdout.flush()
        sys.stderr.flush()
        headers = ["content-type: application/json"]
        if kind:
            headers.append("lambda-runtime-function-error-type: " + kind)
        return self.call("POST", path, body, headers)[0]


class Failure(Exception):
    """What Lambda returns in place of a result, and what it logs."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        value = {"errorMessage": message, "errorType": kind}
        request = getattr(Context.current, "aws_request_id", None)
        if request:
            value["requestId"] = request
        value["stackTrace"] = list(trace)
        self.body = json.dumps(value).encode()
        # One event of the log may have many lines.
        text = "[ERROR] %s: %s" % (kind, message)
        if trace:
            text += "\nTraceback (most recent call last):\n" + "".join(trace)
        self.log = text.rstrip("\n").replace("\n", "\r")


def frames(error, skip):
    import traceback

    listed = traceback.extract_tb(error.__traceback__)[skip:]
    return traceback.format_list(listed)


def kind_of(error):
    return type(error).__name__


def find_handler(name):
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        raise Failure("Runtime.MalformedHandlerName", "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name)
    import importlib

    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Failure("Runtime.ImportModuleError", "Unable to import module '%s': %s%s" % (module_name, error, hint(error))) from None
    except SyntaxError as error:
        at = "Syntax error in module '%s': %s" % (module_name, error)
        trace = ['  File "%s" Line %s\n    %s\n' % (error.filename, error.lineno, (error.text or "").strip())]
        raise Failure("Runtime.UserCodeSyntaxError", at, trace) from None
    except Exception as error:
        # The frames of importlib say nothing.
        trace = [frame for frame in frames(error, 1) if "importlib" not in frame]
        raise Failure(kind_of(error), str(error), trace) from None
    handler = getattr(module, attribute, None)
    if handler is None:
        raise Failure("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (attribute, module_name))
    return handler


def hint(error):
    """What Lambda's own Python has and this one lacks."""
    missing = (getattr(error, "name", None) or "").split(".")[0]
    if missing not in ("boto3", "botocore"):
        return ""
    python = os.environ.get("STACKCTL_PYTHON_NAME", "python3")
    return " (%s has no %s, which Lambda's runtime has: %s -m pip install boto3, or set STACKCTL_PYTHON)" % (python, missing, python)


class Context:
    """What a handler gets beside the event."""

    current = None

    def __init__(self, headers):
        get = os.environ.get
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = Fields(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = client_context(headers.get("lambda-runtime-client-context"))
        self.tenant_id = None
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return "LambdaContext([aws_request_id=%s,function_name=%s])" % (self.aws_request_id, self.function_name)


class Fields:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def client_context(text):
    if not text:
        return None
    given = json.loads(text)
    client = given.get("client") or {}
    names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
    client = Fields(**{name: client.get(name) for name in names})
    return Fields(custom=given.get("custom"), env=given.get("env"), client=client)


def run(api, handler, headers, event):
    Context.current = context = Context(headers)
    path = "/invocation/" + context.aws_request_id
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    try:
        result = call(handler, event, context)
    except Failure as failure:
        print(failure.log, flush=True)
        api.post(path + "/error", failure.body, failure.kind)
    else:
        api.post(path + "/response", result)
    Context.current = None


def call(handler, event, context):
    try:
        event = json.loads(event)
    except ValueError as error:
        raise Failure("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
    try:
        result = handler(event, context)
    except ImportError as error:
        raise Failure(kind_of(error), str(error) + hint(error), frames(error, 1)) from None
    except Exception as error:
        raise Failure(kind_of(error), str(error), frames(error, 1)) from None
    try:
        # As Lambda: what JSON does not have is a mistake, decimals are written as numbers.
        return json.dumps(result, ensure_ascii=False, default=plain).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None


def plain(value):
    if type(value).__module__ == "decimal":
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def set_up_logging():
    """The root logger as Lambda has it, when somebody imports logging."""
    import logging

    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"

    class Handler(logging.Handler):
        def emit(self, record):
            text = self.format(record)
            sys.stdout.write(text.replace("\n", "\r") + "\n")
            sys.stdout.flush()

    class Text(logging.Formatter):
        converter = time.gmtime

        def format(self, record):
            record.aws_request_id = getattr(Context.current, "aws_request_id", "")
            return super().format(record)

    class Json(Text):
        def format(self, record):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            value = {"timestamp": stamp + "Z", "level": record.levelname, "message": record.getMessage(), "logger": record.name}
            if record.exc_info:
                value["errorType"] = record.exc_info[0].__name__
                value["errorMessage"] = str(record.exc_info[1])
                value["stackTrace"] = self.formatException(record.exc_info).split("\n")
            request = getattr(Context.current, "aws_request_id", None)
            if request:
                value["requestId"] = request
            return json.dumps(value, default=str)

    handler = Handler()
    handler.setFormatter(Json() if as_json else Text("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    root = logging.getLogger()
    root.addHandler(handler)
    if level:
        root.setLevel({"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level))


if __name__ == "__main__":
    main()
