// Clients, a proxy and a server in one program of goroutines: descriptors that do not block under
// edge-triggered epoll, several parts written at once (writev), bytes that pass the proxy without
// being seen (io.Copy splices), and half-closed connections.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

const clients = 20

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func serve(each func(*net.TCPConn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			conn, err := listener.Accept()
			check(err)
			go each(conn.(*net.TCPConn))
		}
	}()
	return listener.Addr().String()
}

func dial(address string) *net.TCPConn {
	conn, err := net.Dial("tcp", address)
	check(err)
	return conn.(*net.TCPConn)
}

func pass(from, to *net.TCPConn, done *sync.WaitGroup) {
	_, err := io.Copy(to, from)
	check(err)
	check(to.CloseWrite())
	done.Done()
}

func main() {
	server := serve(func(conn *net.TCPConn) {
		asked, err := io.ReadAll(conn)
		check(err)
		parts := net.Buffers{[]byte("you said "), asked}
		_, err = parts.WriteTo(conn)
		check(err)
		conn.Close()
	})
	proxy := serve(func(conn *net.TCPConn) {
		onward := dial(server)
		var both sync.WaitGroup
		both.Add(2)
		go pass(conn, onward, &both)
		go pass(onward, conn, &both)
		both.Wait()
		conn.Close()
		onward.Close()
	})
	var all sync.WaitGroup
	for i := 0; i < clients; i++ {
		all.Add(1)
		go func() {
			conn := dial(proxy)
			said := fmt.Sprintf("hello %02d", i)
			_, err := conn.Write([]byte(said))
			check(err)
			check(conn.CloseWrite())
			answer, err := io.ReadAll(conn)
			check(err)
			if string(answer) != "you said "+said {
				os.Exit(4)
			}
			conn.Close()
			all.Done()
		}()
	}
	all.Wait()
}
