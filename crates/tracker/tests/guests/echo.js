// A Node.js server and client in one process.
const net = require('net');
const server = net.createServer((socket) => {
  socket.on('data', (data) => socket.write(data.toString().toUpperCase()));
  socket.on('end', () => server.close());
}).listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1', () => client.write('hello\n'));
  client.on('data', () => client.end());
});
