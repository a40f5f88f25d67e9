# An asyncio server and client in one process: edge cases of epoll do not matter to the order.
import asyncio

async def main():
    async def echo(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"line\n")
    assert await reader.read() == b"LINE\n"
    writer.close()
    await writer.wait_closed()

asyncio.run(main())
