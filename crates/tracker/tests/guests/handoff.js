// A server handle goes to a child process over the IPC channel; the child answers on it.
const net = require('net');
const { fork } = require('child_process');
if (process.argv[2] === 'child') {
    process.on('message', (message, server) => {
        server.on('connection', socket => {
            socket.on('data', data => { socket.end('child heard ' + data); });
            socket.on('close', () => { server.close(); process.disconnect(); });
        });
        process.send('ready');
    });
} else {
    const child = fork(__filename, ['child']);
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        child.on('message', () => {
            server.close();
            const client = net.connect(port, '127.0.0.1', () => client.write('hello'));
            client.on('data', data => { if (String(data) !== 'child heard hello') process.exit(3); });
        });
        child.send('take it', server);
    });
}
