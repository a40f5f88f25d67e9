// A JVM with 200 connections to itself and a thread at each end of each: 400 threads, all alive at
// once, which exchange ten lines per connection.
import java.io.*;
import java.net.*;
import java.util.*;
import java.util.concurrent.*;

public class Threads {
    static final int CONNECTIONS = 200, LINES = 10;
    static final CyclicBarrier ALL = new CyclicBarrier(2 * CONNECTIONS);

    interface Job { void run() throws Exception; }

    static Thread start(Job job) {
        Thread thread = new Thread(() -> {
            try { job.run(); } catch (Exception error) { error.printStackTrace(); System.exit(3); }
        });
        thread.start();
        return thread;
    }

    static void end(Socket socket, boolean asks) throws Exception {
        try (socket) {
            var in = new BufferedReader(new InputStreamReader(socket.getInputStream()));
            var out = socket.getOutputStream();
            ALL.await();
            for (int i = 0; i < LINES; i++) {
                if (asks) out.write(("ask " + i + "\n").getBytes());
                String line = in.readLine();
                if (!asks) out.write((line + ", told\n").getBytes());
                else if (!line.equals("ask " + i + ", told")) System.exit(4);
            }
            ALL.await();
        }
    }

    public static void main(String[] arguments) throws Exception {
        var listener = new ServerSocket(0, CONNECTIONS, InetAddress.getLoopbackAddress());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            Socket client = new Socket(listener.getInetAddress(), listener.getLocalPort());
            Socket server = listener.accept();
            threads.add(start(() -> end(client, true)));
            threads.add(start(() -> end(server, false)));
        }
        for (Thread thread : threads) thread.join();
    }
}
