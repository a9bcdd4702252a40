package daemon

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// writeTalks makes a capture of sessions, one after the other, of so many packets
// of 1000 bytes to and fro, one each second.
func writeTalks(t *testing.T, sessions, packets int) string {
	t.Helper()
	file := pcapio.AppendHeader(nil, packet.LinkTypeRaw)
	for i := range sessions * packets {
		data := make([]byte, 1000)
		data[0], data[8], data[9] = 0x45, 64, 17 // IPv4, UDP
		binary.BigEndian.PutUint16(data[2:], uint16(len(data)))
		here, there := data[12:16], data[16:20]
		from, to := data[20:22], data[22:24]
		if i%2 == 1 {
			here, there, from, to = there, here, to, from
		}
		copy(here, []byte{192, 0, 2, 1})
		copy(there, []byte{198, 51, 100, 1})
		binary.BigEndian.PutUint16(from, uint16(10000+i/packets))
		binary.BigEndian.PutUint16(to, 53)
		binary.BigEndian.PutUint16(data[24:], uint16(len(data)-20))
		at := time.Date(2026, 3, 1, 9, 0, i, 0, time.UTC).UnixNano()
		file = pcapio.AppendRecord(file, &packet.Packet{Time: at, Data: data, OrigLen: uint32(len(data))})
	}
	path := filepath.Join(t.TempDir(), "talks.pcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A plan begins with what status says, and more memory reaches further back.
func TestPlan(t *testing.T) {
	s := runDaemon(t, options(config.Defaults(), writeTalks(t, 250, 20)))
	st := s.await("the end of the replay", func(st control.Status) bool { return st.State == control.StateIdle })
	now, err := s.client.Plan(t.Context(), control.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if now.RAMBytes != 1<<30 || now.BudgetBytes != 16<<20 || len(now.Horizons) != len(st.Horizons) || now.Horizons[0] != st.Horizons[0] ||
		len(now.Budgets) != 1 || now.Budgets[0].BudgetBytes != 16<<20 || now.Budgets[0].RAM != "" {
		t.Errorf("without a budget: %+v", now)
	}
	if r := now.Rates; math.Abs(r.Seconds-4999) > 1 || math.Abs(r.PacketsPerSecond-1) > 0.01 || math.Abs(r.BytesPerSecond-1000) > 10 || r.Compression < 2 {
		t.Errorf("rates %+v", r)
	}
	asked := []string{"1%", "5%", "320MiB"}
	plan, err := s.client.Plan(t.Context(), control.PlanRequest{RAM: asked})
	if err != nil || len(plan.Budgets) != len(asked) {
		t.Fatalf("%+v, %v", plan, err)
	}
	last := control.PlannedBudget{Horizons: make([]control.PlannedHorizon, len(st.Horizons))}
	for i, b := range plan.Budgets {
		if b.RAM != asked[i] || b.BudgetBytes <= last.BudgetBytes || len(b.Horizons) != len(st.Horizons) {
			t.Fatalf("%s: %+v", asked[i], b)
		}
		for n, h := range b.Horizons {
			if h.UpToBytes != st.Horizons[n].UpToBytes || h.Seconds <= last.Horizons[n].Seconds || h.Extrapolated != (h.Seconds > plan.Rates.Seconds) {
				t.Errorf("%s: the first %d bytes reach %v s back", b.RAM, h.UpToBytes, h.Seconds)
			}
		}
		last = b
	}
	var problem *control.Problem
	if _, err := s.client.Plan(t.Context(), control.PlanRequest{RAM: []string{"1%", "99%"}}); !errors.As(err, &problem) || problem.Status != 400 {
		t.Errorf("more than can be had: %v", err)
	}
}

// Without packets there is nothing to plan by.
func TestPlanOfNothing(t *testing.T) {
	s := runDaemon(t, options(config.Defaults(), writeCapture(t, "empty.pcap", packet.LinkTypeEthernet, 0)))
	s.await("the end of the replay", func(st control.Status) bool { return st.State == control.StateIdle })
	plan, err := s.client.Plan(t.Context(), control.PlanRequest{})
	if err != nil || len(plan.Budgets) != 1 || len(plan.Budgets[0].Horizons) != 0 || plan.Rates.PacketsPerSecond != 0 || plan.Rates.Compression != 1 {
		t.Errorf("%+v, %v", plan, err)
	}
}
