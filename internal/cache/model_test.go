package cache

import (
	"slices"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

// The model is the rules of the cache told plainly: lists of packets, one for
// each class, from which the oldest go. Which class loses packets next is the
// cache's choice, and judged afterwards (choice_test.go); all else follows.

// A stored is a packet that the model holds.
type stored struct {
	time           int64
	data           string
	wire           uint32
	iface          packet.InterfaceID
	dir            packet.Direction
	serial         int // in the order of arrival
	run            int // packets that came one after the other with the same time share it
	class          int // probation until the session is answered, or until it moves
	at             int64
	left           int  // serial of the packet with which it left probation, or 0
	reverse, known bool // its side; whether the session knows where it waits
	late           int  // the log of class 0 to which it belongs since it was answered after it had moved, or -1
	gone           bool
	name           string // of its interface, while it is in no cache
	// fewest and most are bounds of the bytes that the cache had taken up when
	// the packet had been written.
	fewest, most uint64
}

// A modelSession is what the model knows of a session.
type modelSession struct {
	first, last uint32 // ticks
	bytes       uint64
	closed      bool
	rule        int       // -1 if none
	class0      int       // its log
	excluded    bool      // its rule leaves it out
	waiting     []*stored // until a packet comes that shows that there is a session
}

type model struct {
	reached  int64 // timestamp that a replay has come to
	now      int64
	sessions map[any]*modelSession
	rules    []talkRule
	decoder  *session.Decoder
	logs     [][]*stored // as those of the cache
	serial   int
	run      int
	lastTime int64
	begun    uint64

	seen, refused Count
	held, evicted []Count
	gone          uint64  // packets evicted, in all
	moved         uint64  // packets moved to the unanswered log
	lost          []int64 // clock of the newest packet lost, -1 if none
	under         []RuleStats
	perInterface  map[packet.InterfaceID]*InterfaceStats
	fewest, most  uint64
	before        uint64 // fewest, before the newest packet
	links         func(packet.InterfaceID) packet.LinkType

	// Of restarts; see restart_test.go.
	restarts int
	restored Count
	fresh    bool // nothing has come since the last one
	// began is when the cache of this run was made, history when what it knows
	// began, by the model's clock.
	began, history int64
	// surely is lost, or later where that is all a cache can know.
	surely []int64
}

func newModel(rules ...talkRule) *model {
	m := &model{sessions: map[any]*modelSession{}, rules: rules, decoder: session.NewDecoder(), perInterface: map[packet.InterfaceID]*InterfaceStats{}, links: linkOf}
	tiers := 1
	for _, r := range rules {
		m.under = append(m.under, RuleStats{Filter: r.name, Factor: r.factor, Tier: r.tier})
		tiers = max(tiers, r.tier+1)
	}
	logs := firstLog(tiers)
	m.logs, m.held, m.evicted = make([][]*stored, logs), make([]Count, logs), make([]Count, logs)
	m.lost, m.surely = slices.Repeat([]int64{-1}, logs), slices.Repeat([]int64{-1}, logs)
	return m
}

// place is the class and the factor of a log.
func (m *model) place(log int) (class int, factor float64) {
	switch {
	case log < NumClasses:
		return log, 1
	case log < tierLogs: // first packets count as class 0
		return 0, 1
	}
	for _, r := range m.rules {
		if r.tier == (log-tierLogs)/NumClasses+1 {
			factor = r.factor
		}
	}
	return (log - tierLogs) % NumClasses, factor
}

// replayTo moves the clock of a replay to a packet: forward with it, and not
// at all for one that is late by up to a minute or comes after a clock set back.
func (m *model) replayTo(at int64) {
	if late := m.reached - at; m.serial > 0 && !m.fresh && late >= 0 && late <= int64(time.Minute) {
		return
	}
	if m.serial > 0 && !m.fresh && at > m.reached {
		m.now += at - m.reached
	}
	m.reached, m.fresh = at, false
}

func (m *model) iface(id packet.InterfaceID) *InterfaceStats {
	if m.perInterface[id] == nil {
		m.perInterface[id] = &InterfaceStats{}
	}
	return m.perInterface[id]
}

// classOfByte counts octaves: 1 KiB, 1 KiB more, then twice as much each.
func classOfByte(offset uint64) int {
	class := 0
	for end := uint64(1024); offset >= end && class < NumClasses-1; end *= 2 {
		class++
	}
	return class
}

// add puts a packet of a conversation into the model.
func (m *model) add(k *talk, flags byte, p *packet.Packet) {
	tick := uint32((m.now - m.began) / int64(session.Tick))
	limit := 2 * time.Minute
	if k.proto == ipTCP {
		limit = 10 * time.Minute
	}
	s := m.sessions[k]
	anew := s == nil || tick-s.last > uint32(limit/session.Tick)
	if s != nil && k.proto == ipTCP && s.closed && flags&(tcpSYN|tcpACK) == tcpSYN {
		anew = true
	}
	if s != nil && k.endless() && tick-s.first >= uint32(5*time.Minute/session.Tick) {
		anew = true
	}
	if anew {
		s = &modelSession{first: tick}
		m.sessions[k] = s
		m.begun++
		s.rule = m.decide(k, s)
	}
	if s.rule >= 0 {
		m.under[s.rule].Seen.add(1, uint64(len(p.Data)))
	}
	s.last = tick
	if k.proto == ipTCP && flags&(tcpFIN|tcpRST) != 0 {
		s.closed = true
	}
	m.store(s, anew, p)
}

// decide finds the rule of a session that begins, if there is one.
func (m *model) decide(k *talk, s *modelSession) int {
	for i, r := range m.rules {
		if !r.covers(k) {
			continue
		}
		m.under[i].Sessions++
		if s.excluded = r.factor == 0; r.tier > 0 {
			s.class0 = firstLog(r.tier)
		}
		return i
	}
	return -1
}

// store puts the next packet of a session into its class.
func (m *model) store(s *modelSession, anew bool, p *packet.Packet) {
	n := uint64(len(p.Data))
	wire := max(p.OrigLen, uint32(n))
	m.serial++
	m.before = m.fewest
	if m.serial == 1 || p.Time != m.lastTime {
		m.run++
	}
	m.lastTime = p.Time
	m.seen.add(1, n)
	m.iface(p.Interface).Seen.add(1, n)
	offset := s.bytes
	s.bytes += uint64(wire)
	class := classOfByte(offset)
	if n > 2048 {
		class = classOfByte(offset + n - 1)
	}
	item := &stored{
		time: p.Time, data: string(p.Data), wire: wire, iface: p.Interface, dir: p.Direction,
		serial: m.serial, run: m.run, class: class, at: m.now, late: -1,
	}
	if s.excluded {
		m.refused.add(1, n)
		m.iface(p.Interface).Refused.add(1, n)
		m.lost[s.class0+class] = m.now
		return
	}
	waits := anew && class == 0
	var f session.Flow
	m.decoder.Decode(m.links(p.Interface), p.Data, &f)
	item.reverse = f.Reverse
	if len(s.waiting) > 0 {
		if waits = f.Opening() && offset < 1024 && wire <= 1024; !waits {
			m.answer(s)
		}
	}
	log := s.class0 + class
	if waits {
		item.known = !slices.ContainsFunc(s.waiting, func(other *stored) bool { return other.reverse == f.Reverse })
		s.waiting = append(s.waiting, item)
		log = probation
	}
	m.put(log, item)
}

// linkOf is the link type of an interface of the tests; that of the traces
// comes behind those of the talks.
func linkOf(id packet.InterfaceID) packet.LinkType {
	if int(id) < len(interfaces) {
		return interfaces[id].LinkType
	}
	return packet.LinkTypeEthernet
}

// answer brings the packets of a session that wait to class 0. Those that have
// moved, and those of which the session does not know where they are, stay.
func (m *model) answer(s *modelSession) {
	for _, item := range s.waiting {
		switch {
		case item.gone:
			m.lost[s.class0] = max(m.lost[s.class0], item.at)
		case item.class == probation && item.known:
			m.transfer(item, s.class0)
		default:
			item.late = s.class0
		}
	}
	s.waiting = nil
}

// transfer moves a packet that leaves probation to another log.
func (m *model) transfer(item *stored, class int) {
	item.left = m.serial
	m.take(probation, item)
	m.put(class, item)
}

func (m *model) put(class int, item *stored) {
	if class != probation { // what waits there is not what the newest bytes are spared for
		m.fewest += uint64(len(item.data)) + 4
		m.most += uint64(len(item.data)) + 24 + 4
	}
	item.class, item.fewest, item.most = class, m.fewest, m.most
	m.logs[class] = append(m.logs[class], item)
	m.held[class].add(1, uint64(len(item.data)))
}

// take removes a packet from the middle of a class.
func (m *model) take(class int, item *stored) {
	list := m.logs[class]
	i := slices.Index(list, item)
	m.logs[class] = slices.Delete(list, i, i+1)
	m.held[class] = m.held[class].minus(Count{1, uint64(len(item.data))})
}

// evict takes the oldest packets of a class, as many as the cache says that
// it gave up, and returns them.
func (m *model) evict(class int, total Count) []*stored {
	n := int(total.Packets - m.evicted[class].Packets)
	if n > len(m.logs[class]) {
		n = len(m.logs[class]) // the counts will tell
	}
	out := slices.Clone(m.logs[class][:n])
	m.logs[class] = m.logs[class][n:]
	for _, item := range out {
		item.gone = true
		m.gone++
		m.evicted[class].add(1, uint64(len(item.data)))
		m.held[class] = m.held[class].minus(Count{1, uint64(len(item.data))})
		m.iface(item.iface).Evicted.add(1, uint64(len(item.data)))
		m.lost[class] = max(m.lost[class], item.at)
		if item.late >= 0 {
			m.lost[item.late] = max(m.lost[item.late], item.at)
		}
	}
	return out
}

// all lists the packets that are there.
func (m *model) all() (all []*stored) {
	for _, list := range m.logs {
		all = append(all, list...)
	}
	return all
}
