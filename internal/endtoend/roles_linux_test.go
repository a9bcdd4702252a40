package endtoend

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// roles are the programs that the test binary can be. Each gets the arguments
// of the command line and runs until it has done its work or is killed.
func play(role string, args []string) int {
	roles := map[string]func([]string) error{
		"server": serveTraffic,
		"client": makeTraffic,
		"send":   sendDatagrams,
		"flood":  flood,
		"tagged": sendTagged,
		"frame":  sendFrame,
		"tun":    holdTun,
		"stream": stream,
		"noise":  noise,
		"blast":  blast,
	}
	if err := roles[role](args); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		return 1
	}
	return 0
}

// The ports of the server.
const (
	httpPort  = ":8080"
	queryPort = ":53"
)

// serveTraffic answers HTTP with as many bytes as the path says, and datagrams
// with themselves, twice.
func serveTraffic([]string) error {
	queries, err := net.ListenPacket("udp", queryPort)
	if err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 65536)
		for {
			n, from, err := queries.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = queries.WriteTo(append(buf[:n:n], buf[:n]...), from)
		}
	}()
	web, err := net.Listen("tcp", httpPort)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return http.Serve(web, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = w.Write(bytes.Repeat([]byte("PacketCache"), n/11+1)[:n])
	}))
}

// makeTraffic has HTTP and queries answered by each of the hosts.
func makeTraffic(hosts []string) error {
	client := http.Client{Timeout: patience}
	for _, host := range hosts {
		for _, size := range []int{0, 1, 1000, 100_000, 1_000_000} {
			url := "http://" + net.JoinHostPort(host, httpPort[1:]) + "/" + strconv.Itoa(size)
			resp, err := client.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", size/10)))
			if err != nil {
				return err
			}
			n, err := io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if err != nil || n != int64(size) {
				return fmt.Errorf("%s: %d bytes, %w", url, n, err)
			}
		}
		conn, err := net.Dial("udp", net.JoinHostPort(host, queryPort[1:]))
		if err != nil {
			return err
		}
		for i := range 50 {
			// A question for the address of host<i>.example (RFC 1035, 4.1).
			name := fmt.Sprintf("host%d", i)
			q := []byte{0, byte(i), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, byte(len(name))}
			q = append(append(q, name...), "\x07example\x00\x00\x01\x00\x01"...)
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := conn.Write(q); err != nil {
				return err
			}
			if n, err := conn.Read(make([]byte, 1500)); err != nil || n != 2*len(q) {
				return fmt.Errorf("query %d: %d bytes, %w", i, n, err)
			}
		}
		_ = conn.Close()
	}
	return nil
}

// sendDatagrams sends texts to an address, each in a datagram, a millisecond
// apart.
func sendDatagrams(args []string) error {
	conn, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, text := range args[1:] {
		if _, err := conn.Write([]byte(text)); err != nil && !strings.Contains(err.Error(), "refused") {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// flood sends a number of datagrams of 1000 bytes to an address, where nobody may
// listen.
func flood(args []string) error {
	return datagrams(args, func([]byte) {})
}

// datagrams is flood with what fill makes of each.
func datagrams(args []string, fill func(data []byte)) error {
	conn, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	data := make([]byte, 1000)
	for range n {
		fill(data)
		if _, err := conn.Write(data); err != nil && !strings.Contains(err.Error(), "refused") {
			return err
		}
	}
	return nil
}

// sendTagged puts frames with VLAN tags on an interface, as another machine's
// VLAN devices would: one tag, two, a service tag, and a priority without VLAN.
func sendTagged(args []string) error {
	sock, err := packetSocket(args[0])
	if err != nil {
		return err
	}
	for i, tags := range []string{
		"\x81\x00\x00\x07", "\x81\x00\x00\x07\x81\x00\x20\x08", "\x88\xa8\x00\x09\x81\x00\x00\x0a",
		"\x81\x00\xe0\x00", "\x88\xa8\xef\xfe", "\x81\x00\x10\x01\x81\x00\x10\x02\x81\x00\x10\x03",
	} {
		for _, size := range []int{60, 1000, 1500} {
			frame := datagram(i, 7, size)
			frame = append(append(append([]byte{}, frame[:12]...), tags...), frame[12:]...)
			if _, err := unix.Write(sock, frame[:min(len(frame), 1518)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// sendFrame puts a frame with a text on an interface.
func sendFrame(args []string) error {
	sock, err := packetSocket(args[0])
	if err != nil {
		return err
	}
	const experimental = "\x88\xb5"
	_, err = unix.Write(sock, []byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01"+experimental+args[1]))
	return err
}

// packetSocket opens a socket that sends on an interface and receives nothing.
func packetSocket(name string) (int, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	sock, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	return sock, unix.Bind(sock, &unix.SockaddrLinklayer{Ifindex: link.Index})
}

// holdTun makes a tun device, has packets come in through it when a line is
// read from standard input, and keeps it until that ends.
func holdTun(args []string) error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	var request struct {
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], args[0])
	request.flags = unix.IFF_TUN | unix.IFF_NO_PI
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	fmt.Println("ready")
	for line := make([]byte, 1); ; {
		if _, err := os.Stdin.Read(line); err != nil {
			return nil //nolint:nilerr // the end of the input is the end
		}
		for i := range 10 {
			if _, err := unix.Write(fd, rawDatagram(i, 100+i)); err != nil {
				return err
			}
		}
	}
}

// startRole runs a role in the namespace and waits until it is ready.
func startRole(t testing.TB, ns namespace, name string, args ...string) *job {
	t.Helper()
	j := begin(t, ns.role(t, name, args...))
	eventually(t, name+" ready", func() bool {
		if !j.running() {
			t.Fatalf("%s ended: %s", name, j.log.String())
		}
		return strings.Contains(j.stdout.String(), "ready")
	})
	return j
}

// play runs a role in the namespace to its end.
func (ns namespace) play(t testing.TB, role string, args ...string) {
	t.Helper()
	j := begin(t, ns.role(t, role, args...))
	if code := j.exitCode(t, patience); code != 0 {
		t.Fatalf("%s: %s", role, j.log.String())
	}
}
