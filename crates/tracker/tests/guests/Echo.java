// A JVM with more than a hundred threads, half of them clients of the other half.
import java.io.*;
import java.net.*;
import java.util.*;

public class Echo {
    static final int COUNT = 60;

    interface Job { void run() throws Exception; }

    static Thread start(Job job) {
        Thread thread = new Thread(() -> {
            try { job.run(); } catch (Exception error) { System.exit(3); }
        });
        thread.start();
        return thread;
    }

    static String line(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
    }

    public static void main(String[] arguments) throws Exception {
        ServerSocket listener = new ServerSocket(0, COUNT, InetAddress.getLoopbackAddress());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            threads.add(start(() -> {
                try (Socket socket = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
                    socket.getOutputStream().write("hi\n".getBytes());
                    if (!line(socket).equals("hi you")) System.exit(4);
                }
            }));
        }
        for (int i = 0; i < COUNT; i++) {
            Socket socket = listener.accept();
            threads.add(start(() -> {
                socket.getOutputStream().write((line(socket) + " you\n").getBytes());
                socket.close();
            }));
        }
        for (Thread thread : threads) thread.join();
    }
}
