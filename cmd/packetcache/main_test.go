package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
	"github.com/packetcache/packetcache/internal/pcctl"
	"github.com/packetcache/packetcache/internal/service"
)

// TestMain makes the test binary the two commands, for scripts, and the service
// where Windows has started it as one.
func TestMain(m *testing.M) {
	if runtime.GOOS == "windows" && service.Managed() {
		os.Exit(run(crashWhenTold(os.Args), os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){
		"packetcache": func() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) },
		"pcctl":       func() { os.Exit(pcctl.Main(os.Args, os.Stdout, os.Stderr)) },
	})
}

// crashWhenTold takes the argument --crash-when=FILE away, which makes the
// process crash as soon as there is such a file.
func crashWhenTold(args []string) []string {
	last := len(args) - 1
	file, ok := strings.CutPrefix(args[last], "--crash-when=")
	if !ok {
		return args
	}
	go func() {
		for {
			if _, err := os.Stat(file); err == nil {
				panic("a crash for a test")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return args[:last]
}

// capture is a file of 3 packets, a second apart.
func capture() []byte {
	file := pcapio.AppendHeader(nil, packet.LinkTypeEthernet)
	for i := range 3 {
		data := []byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5a packet for tests, number " + strconv.Itoa(i))
		at := time.Date(2026, 3, 1, 9, 0, i, 0, time.UTC).UnixNano()
		file = pcapio.AppendRecord(file, &packet.Packet{Time: at, Data: data, OrigLen: uint32(len(data))})
	}
	return file
}
