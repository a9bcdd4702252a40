package afpacket

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
)

// On the same wire we record what tcpdump records: the same bytes and lengths
// in the same order, at the same time.
func TestAsTcpdump(t *testing.T) {
	capturetest.Veth(t, "pctd0", "pctd1")
	for _, name := range []string{"pctd0", "pctd1"} { // as sent and as received
		t.Run(name, func(t *testing.T) {
			peer := startTcpdump(t, name)
			sink, _ := listen(t, name)
			sink.AwaitInterface(t)

			var sent [][]byte
			for i, f := range frames(400) {
				switch i % 5 {
				case 1:
					f = tagged(f, 0x8100, uint16(i))
				case 2:
					f = tagged(f, 0x88a8, uint16(i), 0x8100, 5)
				}
				sent = append(sent, f)
			}
			capturetest.Send(t, "pctd0", sent...)
			capturetest.SendGSO(t, "pctd0", superFrame(60000), 1400)
			n := len(sent) + 1
			sink.Await(t, n)
			theirs, ours := peer.stop(t, n), sink.Got()
			if len(ours) != n || len(theirs) != n {
				t.Fatalf("we have %d packets, tcpdump %d, sent were %d", len(ours), len(theirs), n)
			}
			for i, p := range ours {
				want := theirs[i]
				if !bytes.Equal(p.Data, want.data) || int(p.OrigLen) != want.info.Length {
					t.Fatalf("packet %d is\n%x of %d bytes, tcpdump has\n%x of %d", i, p.Data, p.OrigLen, want.data, want.info.Length)
				}
				if apart := time.Unix(0, p.Time).Sub(want.info.Timestamp).Abs(); apart > time.Millisecond {
					t.Errorf("packet %d is %v off tcpdump's", i, apart)
				}
			}
		})
	}
}

// A tun device can say that it is anything. As PPP it gives a cooked capture.
func TestCookedAsTcpdump(t *testing.T) {
	capturetest.NeedNetNS(t)
	tun := openTun(t, "pcppp0")
	setLinkType(t, tun, "pcppp0", 512) // ARPHRD_PPP
	capturetest.IP(t, "link set pcppp0 up")
	peer := startTcpdump(t, "pcppp0")
	sink, _ := listen(t, "pcppp0")
	sink.AwaitInterface(t)
	const n = 20
	for i := range n {
		if _, err := tun.Write(superFrame(100 + i)[14:]); err != nil {
			t.Fatal(err)
		}
	}
	sink.Await(t, n)
	theirs, ours := peer.stop(t, n), sink.Got()
	if lt := sink.Interfaces()[0].LinkType; lt != packet.LinkTypeLinuxSLL {
		t.Errorf("link type %v, want Linux cooked", lt)
	}
	if len(ours) != n || len(theirs) != n {
		t.Fatalf("we have %d packets, tcpdump %d", len(ours), len(theirs))
	}
	for i, p := range ours {
		if !bytes.Equal(p.Data, theirs[i].data) || int(p.OrigLen) != theirs[i].info.Length {
			t.Errorf("packet %d is\n%x, tcpdump has\n%x", i, p.Data, theirs[i].data)
		}
	}
}

// A recorder is a running tcpdump.
type recorder struct {
	cmd   *exec.Cmd
	file  string
	ended chan error
}

type recorded struct {
	info gopacket.CaptureInfo
	data []byte
}

func startTcpdump(t *testing.T, name string) *recorder {
	t.Helper()
	program, err := exec.LookPath("tcpdump")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	r := &recorder{file: filepath.Join(t.TempDir(), "theirs.pcap")}
	r.cmd = exec.Command(program, "-i", name, "-w", r.file, "-U", "--nano", "-B", "8192", "-Z", "root")
	var says lockedBuffer
	r.cmd.Stderr = &says
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	r.ended = make(chan error, 1)
	go func() { r.ended <- r.cmd.Wait() }()
	capturetest.Eventually(t, 10*time.Second, "tcpdump to listen or to end", func() bool {
		return len(r.ended) > 0 || bytes.Contains(says.bytes(), []byte("listening on"))
	})
	if len(r.ended) > 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("tcpdump: %s", says.bytes())
		}
		t.Skipf("tcpdump does not run here: %s", says.bytes())
	}
	return r
}

// stop waits until tcpdump has written n packets, ends it and returns them.
func (r *recorder) stop(t *testing.T, n int) (list []recorded) {
	t.Helper()
	capturetest.Eventually(t, 10*time.Second, "tcpdump's file", func() bool {
		list = r.read(t)

		return len(list) >= n
	})
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.ended:
		if err != nil {
			t.Fatal("tcpdump: ", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("tcpdump goes on after an interrupt")
	}
	return r.read(t)
}

func (r *recorder) read(t *testing.T) (list []recorded) {
	t.Helper()
	f, err := os.Open(r.file)
	if err != nil {
		return nil
	}
	defer f.Close()
	reader, err := pcapgo.NewReader(f)
	if err != nil {
		return nil // not written yet
	}
	for {
		data, info, err := reader.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return list
		}
		if err != nil {
			t.Fatal("read tcpdump's file: ", err)
		}
		list = append(list, recorded{info, data})
	}
}
