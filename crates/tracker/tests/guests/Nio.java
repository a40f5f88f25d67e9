// One thread serves ten connections by a selector, woken by another through Selector.wakeup; a file
// goes out by FileChannel.transferTo (sendfile), and what comes back is read by scattering reads.
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.nio.file.*;

public class Nio {
    static final int COUNT = 10;

    public static void main(String[] arguments) throws Exception {
        Path file = Files.createTempFile("nio", "");
        Files.writeString(file, "0123456789".repeat(100));
        Selector selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        Thread server = new Thread(() -> {
            try (FileChannel content = FileChannel.open(file)) {
                for (int served = 0; served < COUNT; ) {
                    selector.select();
                    for (var keys = selector.selectedKeys().iterator(); keys.hasNext(); keys.remove()) {
                        SelectionKey key = keys.next();
                        if (!key.isValid()) continue;
                        if (key.isAcceptable()) {
                            SocketChannel channel = listener.accept();
                            if (channel == null) continue;
                            channel.configureBlocking(false);
                            channel.register(selector, SelectionKey.OP_READ);
                        } else {
                            SocketChannel channel = (SocketChannel) key.channel();
                            if (channel.read(ByteBuffer.allocate(16)) != 3) continue;
                            for (long at = 0; at < 1000; ) at += content.transferTo(at, 1000 - at, channel);
                            channel.close();
                            served++;
                        }
                    }
                }
            } catch (Exception failure) {
                failure.printStackTrace();
                System.exit(3);
            }
        });
        server.start();
        for (int i = 0; i < COUNT; i++) {
            try (SocketChannel client = SocketChannel.open(listener.getLocalAddress())) {
                client.write(new ByteBuffer[] {ByteBuffer.wrap("g".getBytes()), ByteBuffer.wrap("et".getBytes())});
                ByteBuffer[] parts = {ByteBuffer.allocate(300), ByteBuffer.allocate(800)};
                long total = 0;
                for (long got; (got = client.read(parts)) >= 0; ) total += got;
                if (total != 1000) System.exit(4);
                selector.wakeup();
            }
        }
        server.join();
        Files.delete(file);
    }
}
