package daemon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

var waitNamedPipe = windows.NewLazySystemDLL("kernel32.dll").NewProc("WaitNamedPipeW")

// waitPipe waits until an instance of the pipe listens (WaitNamedPipeW).
func waitPipe(name *uint16, patience time.Duration) error {
	if ok, _, err := waitNamedPipe.Call(uintptr(unsafe.Pointer(name)), uintptr(patience.Milliseconds())); ok == 0 {
		return err
	}
	return nil
}

// listPipes lists the names of all pipes, as for any directory.
func listPipes() ([]string, error) {
	pattern, err := windows.UTF16PtrFromString(`\\.\pipe\*`)
	if err != nil {
		return nil, err
	}
	var found windows.Win32finddata
	search, err := windows.FindFirstFile(pattern, &found)
	if err != nil {
		return nil, err
	}
	defer func() { _ = windows.FindClose(search) }()
	var names []string
	for err == nil {
		names = append(names, windows.UTF16ToString(found.FileName[:]))
		err = windows.FindNextFile(search, &found)
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return nil, err
	}
	return names, nil
}

// A pipeClient is a program that knows nothing of us: CreateFile, ReadFile,
// WriteFile on one synchronous handle.
type pipeClient struct{ h windows.Handle }

// openPipe opens the dump endpoint's pipe, waiting while it is busy. Nothing
// else may keep a client out: not even between clients is the name away.
func openPipe(dir string, access uint32, patience time.Duration) (pipeClient, error) {
	path, err := ipc.Address(ipc.Dump, dir)
	if err != nil {
		return pipeClient{}, err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return pipeClient{}, err
	}
	for deadline := time.Now().Add(patience); ; {
		h, err := windows.CreateFile(name, access, 0, nil, windows.OPEN_EXISTING, 0, 0)
		if err == nil {
			return pipeClient{h}, nil
		}
		left := time.Until(deadline)
		if !errors.Is(err, windows.ERROR_PIPE_BUSY) || left <= 0 {
			return pipeClient{}, fmt.Errorf("open %s: %w", path, err)
		}
		if err := waitPipe(name, left); err != nil && !errors.Is(err, windows.ERROR_SEM_TIMEOUT) {
			return pipeClient{}, fmt.Errorf("wait for %s: %w", path, err)
		}
	}
}

func (c pipeClient) close() { _ = windows.CloseHandle(c.h) }

// read reads up to 4096 bytes, as the scripts do; nothing at the end.
func (c pipeClient) read() ([]byte, error) {
	buf := make([]byte, 4096)
	var n uint32
	err := windows.ReadFile(c.h, buf, &n, nil)
	if errors.Is(err, windows.ERROR_BROKEN_PIPE) {
		return nil, nil // which .NET tells as a read of 0 bytes
	}
	return buf[:n], err
}

func (c pipeClient) readAll() ([]byte, error) {
	var file []byte
	for {
		some, err := c.read()
		if err != nil || len(some) == 0 {
			return file, err
		}
		file = append(file, some...)
	}
}

// servedDump is a daemon whose dump does not fit the buffer of a pipe, and the
// dump.
func servedDump(t *testing.T) (*subject, []byte) {
	t.Helper()
	s := runDaemon(t, options(config.Defaults(), writeTraffic(t, 3000)))
	s.await("the end of the replay", func(st control.Status) bool { return st.State == control.StateIdle })
	var file bytes.Buffer
	if _, err := s.client.Dump(t.Context(), control.DumpRequest{}, &file, nil); err != nil {
		t.Fatal(err)
	}
	if file.Len() < 2<<20 {
		t.Fatalf("the dump has %d bytes", file.Len())
	}
	return s, file.Bytes()
}

// writeTraffic writes a file of packets of 1400 bytes: 50 clients and a server
// that talk over UDP by turns.
func writeTraffic(t testing.TB, packets int) string {
	t.Helper()
	const size = 1400
	file := pcapio.AppendHeader(nil, packet.LinkTypeEthernet)
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixNano()
	random := rand.New(rand.NewPCG(1, 1))
	for i := range packets {
		frame := make([]byte, size)
		copy(frame, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00")
		binary.BigEndian.PutUint16(frame[16:], size-14)
		frame[22], frame[23] = 64, 17
		ends := [2]string{"\x0a\x00\x00\x01", "\x0a\x00\x00\x02"}
		ports := [2]uint16{uint16(1000 + i/2%50), 2000}
		from := i % 2
		copy(frame[26:], ends[from])
		copy(frame[30:], ends[1-from])
		binary.BigEndian.PutUint16(frame[34:], ports[from])
		binary.BigEndian.PutUint16(frame[36:], ports[1-from])
		binary.BigEndian.PutUint16(frame[38:], size-34)
		binary.BigEndian.PutUint64(frame[42:], uint64(i))
		for at := 50; at+8 <= size; at += 8 { // nothing that could be compressed
			binary.BigEndian.PutUint64(frame[at:], random.Uint64())
		}
		at := start + int64(i)*int64(time.Millisecond)
		file = pcapio.AppendRecord(file, &packet.Packet{Time: at, Data: frame, OrigLen: size})
	}
	path := filepath.Join(t.TempDir(), "traffic.pcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wants fails the test when a client did not get the whole dump.
func wants(t *testing.T, want, got []byte, err error) {
	t.Helper()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, want %d; %v", len(got), len(want), err)
	}
}
