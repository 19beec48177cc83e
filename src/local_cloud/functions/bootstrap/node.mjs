// Runs a function's handler for stackctl's local cloud, by the Lambda Runtime API. Node's own
// modules only.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import util from "node:util";

const env = process.env;
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let current;

// What is written must be out before a reply is: a pipe is written to at once.
const write = (text) => {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(fs.writeSync(1, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
};

// One event of the log may have many lines.
const log = (level) => (...values) => {
  const message = util.format(...values);
  const line =
    env.AWS_LAMBDA_LOG_FORMAT === "JSON"
      ? JSON.stringify({ timestamp: new Date().toISOString(), level, requestId: current, message })
      : `${new Date().toISOString()}\t${current}\t${level}\t${message}`.replaceAll("\n", "\r");
  write(line + "\n");
};
console.log = log("INFO");
console.info = log("INFO");
console.warn = log("WARN");
console.error = log("ERROR");
console.debug = log("DEBUG");
console.trace = log("TRACE");
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, encoding, done) => {
    write(typeof chunk === "string" ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8") : chunk);
    const callback = typeof encoding === "function" ? encoding : done;
    if (callback) process.nextTick(callback);
    return true;
  };
}

// This process ends when the one that started it is gone.
process.stdin.on("end", () => process.exit(1)).on("error", () => process.exit(1)).resume();
process.stdin.unref?.();

function call(method, url, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? 0 : Buffer.byteLength(body);
    const options = { host, port, method, agent, path: `/2018-06-01/runtime${url}` };
    options.headers = { ...headers, "content-length": length };
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    // The cloud has ended.
    request.on("error", () => process.exit(1));
    request.end(body);
  });
}

function failure(error) {
  if (error instanceof Error) {
    const trace = (error.stack ?? "").split("\n");
    return { errorType: error.name, errorMessage: error.message, trace };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function fail(kind, message) {
  const error = new Error(message);
  error.name = kind;
  return error;
}

async function report(url, error, label) {
  const told = failure(error);
  const stack = told.trace;
  const body = JSON.stringify(told);
  const logged = JSON.stringify({ errorType: told.errorType, errorMessage: told.errorMessage, code: error?.code, stack });
  write(`${new Date().toISOString()}\t${current}\tERROR\t${label} \t${logged}\n`);
  await call("POST", url, body, {
    "content-type": "application/json",
    "lambda-runtime-function-error-type": told.errorType,
  });
}

async function load() {
  const name = env._HANDLER;
  const base = path.basename(name);
  const dot = base.indexOf(".");
  if (dot < 1) throw fail("Runtime.MalformedHandlerName", "Bad handler");
  const file = path.join(env.LAMBDA_TASK_ROOT, path.dirname(name), base.slice(0, dot));
  const names = base.slice(dot + 1).split(".");
  const found = ["", ".js", ".mjs", ".cjs"].map((end) => file + end).find((it) => fs.statSync(it, { throwIfNoEntry: false })?.isFile());
  const module = path.join(path.dirname(name), base.slice(0, dot));
  if (!found) {
    throw fail("Runtime.ImportModuleError", `Error: Cannot find module '${module}'`);
  }
  let loaded;
  try {
    const isModule = found.endsWith(".mjs") || (found.endsWith(".js") && typeOf(path.dirname(found)) === "module");
    loaded = isModule ? await import(pathToFileURL(found).href) : createRequire(pathToFileURL(found))(found);
  } catch (error) {
    if (error instanceof SyntaxError) throw fail("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      const sdk = /'(@aws-sdk|@smithy)\//.test(error.message)
        ? " (node has no AWS SDK, which Lambda's runtime has: install it beside the function's code)"
        : "";
      throw fail("Runtime.ImportModuleError", `Error: ${error.message}${sdk}`);
    }
    throw error;
  }
  let handler = names.reduce((value, part) => value?.[part], loaded);
  handler ??= names.reduce((value, part) => value?.[part], loaded?.default);
  if (handler === undefined) throw fail("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw fail("Runtime.HandlerNotFound", `${name} is not a function`);
  return handler;
}

function typeOf(folder) {
  for (let at = folder; at.startsWith(env.LAMBDA_TASK_ROOT); at = path.dirname(at)) {
    const file = path.join(at, "package.json");
    if (fs.existsSync(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, "utf8")).type;
      } catch {
        return undefined;
      }
    }
  }
  return undefined;
}

// A handler that waits for nothing and never ends has returned nothing, as at AWS.
let nothingLeft;
process.on("beforeExit", () => nothingLeft?.());

function invoke(handler, event, context) {
  return new Promise((resolve, reject) => {
    nothingLeft = () => resolve(null);
    const callback = (error, result) => (error === null || error === undefined ? resolve(result) : reject(error));
    context.done = callback;
    context.succeed = (result) => resolve(result);
    context.fail = (error) => reject(error ?? new Error("handled"));
    const result = handler(event, context, callback);
    if (typeof result?.then === "function") result.then(resolve, reject);
    else if (handler.length < 3 && result !== undefined) resolve(result);
    else if (handler.length < 3) resolve(null);
  });
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client ? JSON.parse(client) : undefined,
    identity: undefined,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

let handler;
try {
  handler = await load();
} catch (error) {
  await report("/init/error", error, "Uncaught Exception");
  process.exit(1);
}

const crash = (label) => async (error) => {
  const kind = label === "Unhandled Promise Rejection" ? fail("Runtime.UnhandledPromiseRejection", String(error?.message ?? error)) : error;
  if (current) await report(`/invocation/${current}/error`, kind, label);
  process.exit(128 + 1);
};
process.on("uncaughtException", crash("Uncaught Exception"));
process.on("unhandledRejection", crash("Unhandled Promise Rejection"));

for (;;) {
  const { headers, body } = await call("GET", "/invocation/next");
  current = headers["lambda-runtime-aws-request-id"];
  if (headers["lambda-runtime-trace-id"]) env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  const url = `/invocation/${current}`;
  try {
    const result = await invoke(handler, JSON.parse(body), contextOf(headers));
    let text;
    try {
      text = JSON.stringify(result === undefined ? null : result);
    } catch (error) {
      throw fail("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`);
    }
    await call("POST", `${url}/response`, text ?? "null", { "content-type": "application/json" });
  } catch (error) {
    await report(`${url}/error`, error, "Invoke Error");
  }
  current = undefined;
  nothingLeft = undefined;
}
