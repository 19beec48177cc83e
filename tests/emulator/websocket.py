"""Talks to a WebSocket API with the package websockets: sends the messages that are named, and prints
the replies, one a line. A second client is closed by the server for a binary message."""

import asyncio
import sys

import websockets


async def main(url, *messages):
    async with websockets.connect(url) as socket:
        await (await socket.ping())
        for message in messages:
            await socket.send(message)
            print(await asyncio.wait_for(socket.recv(), 30))
    async with websockets.connect(url) as socket:
        await socket.send(b"binary")
        try:
            await asyncio.wait_for(socket.recv(), 30)
        except websockets.ConnectionClosed as closed:
            print(closed.rcvd.code)
    try:
        await websockets.connect(url + "-not")
    except websockets.InvalidStatus as refused:
        print(refused.response.status_code)


asyncio.run(main(*sys.argv[1:]))
