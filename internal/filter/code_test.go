package filter

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestCodeEqualsTcpdump compares instruction by instruction, which says more
// than any packets could.
func TestCodeEqualsTcpdump(t *testing.T) {
	o := newOracle(t)
	exprs := expressions(t)
	links := []packet.LinkType{1,0,6,7,9,10,50,51,99,100,101,102,103,104,105,106,107,108,109,112,113,114,117,119,122,123,127,129,130,133,136,139,140,163,166,178,192,197,226,228,229,239,240,246,253,276}
	type job struct {
		lt   packet.LinkType
		expr string
	}
	var jobs []job
	for _, lt := range links {
		for _, e := range exprs {
			jobs = append(jobs, job{lt, e})
		}
	}
	parallel(len(jobs), func(i int) {
		lt, expr := jobs[i].lt, jobs[i].expr
		want, refusal, err := o.compile(lt, binary.LittleEndian, expr)
		if err != nil {
			t.Error(err)
			return
		}
		var got []bpf.RawInstruction
		e, err := Parse(expr)
		if err == nil {
			var p *Program
			if p, err = e.Compile(lt); err == nil {
				got = p.Raw()
			}
		}
		if (err != nil) != (refusal != "") {
			t.Errorf("%s %q: err %v, tcpdump %q", lt, expr, err, refusal)
			return
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %q:\n got %v\nwant %v", lt, expr, got, want)
		}
	})
}
