#!/usr/bin/env python3
"""Writes the files in src/registry/data that src/registry/pack.rs reads.

    python3 src/registry/pack.py            writes them
    python3 src/registry/pack.py --check    fails where they differ from what it would write

It needs Python 3.11 or later, pip, and the network: it installs the pinned packages into a
temporary virtual environment. The same versions give the same bytes. To take newer ones, change
the versions below, run it, and read the differences of data/SOURCES.md and of the tests.

The files:
  schemas.zst      the schemas, minified, in the order of their names, in blocks: each is one
                   zstd frame that is read alone, with the dictionary
  dictionary.zst   the dictionary of all blocks
  index.zst        text: the regions, the blocks' sizes, and a line for each type
  SOURCES.md       where the data comes from
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import urllib.request

CFN_LINT = "1.58.0"
ZSTANDARD = "0.25.0"
SERVICE_SPEC = "0.1.216"
SERVICE_SPEC_SHA512 = "O3Lu6v6J6RnI+Eenklbw8237kV64cTpM94QEXmlcmsIAzhcKrdd+qApZhlTL+H3IDt1JP6Vphbd+OOmq6r8pqw=="
SERVICE_SPEC_URL = (
    "https://registry.npmjs.org/@aws-cdk/aws-service-spec/-/"
    f"aws-service-spec-{SERVICE_SPEC}.tgz"
)

# Larger blocks and a larger dictionary make a smaller pack; each read takes longer.
BLOCK = 256 << 10
DICTIONARY = 440 << 10

DATA = pathlib.Path(__file__).resolve().parent / "data"


def inside_venv():
    """Runs this script again with the pinned packages."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = os.path.join(folder, "bin", "python")
        packages = [f"cfn-lint=={CFN_LINT}", f"zstandard=={ZSTANDARD}"]
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        again = [python, __file__, "--inside", *sys.argv[1:]]
        sys.exit(subprocess.run(again).returncode)


def cfn_lint():
    """The schemas by type name, the names in each region, and the date of the schemas."""
    import cfnlint

    folder = pathlib.Path(cfnlint.__file__).parent / "data" / "schemas"
    files = sorted((folder / "resources").glob("*.json"))
    all_schemas = [json.loads(path.read_text("utf-8")) for path in files]
    schemas = {schema["typeName"]: schema for schema in all_schemas}
    assert len(schemas) == len(files)
    regions = {
        path.stem: set(json.loads(path.read_text("utf-8")))
        for path in sorted((folder / "providers").glob("*.json"))
    }
    date = json.loads((folder / "version.json").read_text("utf-8"))["schema_date"]
    return schemas, regions, date


def arn_templates():
    """The ARN templates by type name."""
    with urllib.request.urlopen(SERVICE_SPEC_URL) as answer:
        package = answer.read()
    found = base64.b64encode(hashlib.sha512(package).digest()).decode()
    if found != SERVICE_SPEC_SHA512:
        sys.exit(f"{SERVICE_SPEC_URL} has the SHA-512 {found}")
    with tarfile.open(fileobj=io.BytesIO(package)) as tar:
        database = json.loads(gzip.decompress(tar.extractfile("package/db.json.gz").read()))
    return {
        resource["cloudFormationType"]: resource["arnTemplate"]
        for resource in database["schema"]["resource"]["entities"]
        if resource.get("arnTemplate")
    }


def cloud_control():
    """The names that Cloud Control takes."""
    lines = (DATA / "cloud-control.txt").read_text("utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def ordered(value):
    """One order of keys everywhere, descriptions last: it packs better."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (key == "description", key))
        return {key: ordered(value[key]) for key in keys}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def minified(schema):
    text = json.dumps(ordered(schema), separators=(",", ":"), ensure_ascii=False)
    # A list handler's own schema names the schema that it stands in by this name.
    return text.replace('"resource-schema.json#', '"#').encode()


def blocks_of(documents):
    """For each document the number of its block, and the blocks."""
    numbers, blocks = [], [[]]
    for document in documents:
        if blocks[-1] and sum(map(len, blocks[-1])) + len(document) > BLOCK:
            blocks.append([])
        blocks[-1].append(document)
        numbers.append(len(blocks) - 1)
    return numbers, [b"".join(block) for block in blocks]


def pack():
    """The contents of the files, by name."""
    import zstandard

    schemas, regions, date = cfn_lint()
    arns = arn_templates()
    supported = cloud_control()
    names = sorted(schemas)
    documents = [minified(schemas[name]) for name in names]
    dictionary = zstandard.train_dictionary(DICTIONARY, documents, k=1024, d=8, dict_id=1)
    plain = zstandard.ZstdCompressor(level=22)
    packer = zstandard.ZstdCompressor(level=22, dict_data=dictionary)
    numbers, blocks = blocks_of(documents)
    packed = [packer.compress(block) for block in blocks]

    lines = [" ".join(regions), " ".join(str(len(block)) for block in packed)]
    for name, number, document in zip(names, numbers, documents):
        absent = sum(1 << at for at, there in enumerate(regions.values()) if name not in there)
        fields = [
            name,
            str(number),
            str(len(document)),
            "c" if name in supported else "",
            f"{absent:x}" if absent else "",
            arns.get(name, ""),
        ]
        assert not any("\t" in field or "\n" in field for field in fields)
        lines.append("\t".join(fields))
    index = "".join(line + "\n" for line in lines).encode()
    files = {
        "schemas.zst": b"".join(packed),
        "dictionary.zst": plain.compress(dictionary.as_bytes()),
        "index.zst": plain.compress(index),
    }
    has_arn = sum(name in arns for name in names)
    has_support = sum(name in supported for name in names)
    sizes = "\n".join(f"| `{name}` | {len(content):,} |" for name, content in files.items())
    files["SOURCES.md"] = f"""# Where the registry's data comes from

`src/registry/pack.py` writes this folder, but for `cloud-control.txt`.

| data | source | licence | state |
|---|---|---|---|
| {len(names):,} schemas of the CloudFormation registry, with the patches of cfn-lint, and the types of {len(regions)} regions | PyPI `cfn-lint` {CFN_LINT} | MIT-0, Copyright Amazon.com, Inc. or its affiliates | schemas of {date} |
| {has_arn:,} ARN templates | npm `@aws-cdk/aws-service-spec` {SERVICE_SPEC} | Apache-2.0, Copyright Amazon.com, Inc. or its affiliates | the package's |
| {has_support:,} types that Cloud Control takes | `cloud-control.txt`, which names its source | facts | August 2026 |

What was changed: the JSON is minified, its keys are in one order, and `resource-schema.json#` is
`#`. Nothing is left away. zstd packs it (PyPI `zstandard` {ZSTANDARD}, level 22).

| file | bytes |
|---|---|
{sizes}
""".encode()
    return files


def main():
    parser = argparse.ArgumentParser(description="Packs the schemas of the registry.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        inside_venv()
    differing = []
    for name, content in pack().items():
        path = DATA / name
        if not path.exists() or path.read_bytes() != content:
            differing.append(name)
            if not arguments.check:
                path.write_bytes(content)
        print(f"{len(content):>9} {name}")
    if arguments.check and differing:
        sys.exit("differs: " + ", ".join(differing))


if __name__ == "__main__":
    main()
