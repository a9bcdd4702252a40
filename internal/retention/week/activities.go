package week

import (
	"fmt"
	"time"
)

// An activity happens again and again.
type activity struct {
	perHour float64 // on average, when rhythm is 1
	rhythm  func(now time.Time) float64
	do      func(s *stream)
}

// activities are what goes on at the computer.
var activities = []activity{
	{30, atWork, (*stream).browse},
	{24, always, (*stream).report},
	{4, atWork, (*stream).chat},
	{10, atWork, (*stream).mail},
	{0.15, always, (*stream).update},
	{0.18, awake, (*stream).watch},
	{0.12, atWork, (*stream).call},
	{25, atWork, (*stream).share},
	{5, always, (*stream).domain},
	{3, atWork, (*stream).fail},
	{0.006, always, (*stream).scanned},
	{900, always, (*stream).chatter},
	{60, always, (*stream).monitored},
	{3.5, always, (*stream).clock},
}

// always, awake and atWork are how much goes on at a time, from 0 to 1.
func always(time.Time) float64 { return 1 }

func awake(now time.Time) float64 {
	if h := now.Hour(); h < 7 || h >= 23 {
		return 0.03
	} else if h >= 19 {
		return 1
	}
	return 0.5
}

func atWork(now time.Time) float64 {
	if day := now.Weekday(); day == time.Saturday || day == time.Sunday {
		return 0.15 * awake(now)
	}
	switch h := now.Hour(); {
	case h == 8 || h == 12 || h == 17:
		return 0.5
	case h > 8 && h < 17:
		return 1
	default:
		return 0.15 * awake(now)
	}
}

// recurring lets an activity happen.
type recurring struct{ activity }

func (r *recurring) act(s *stream) int64 {
	if s.chance(r.rhythm(time.Unix(0, s.now).UTC())) {
		r.do(s)
	}
	return int64(s.around(time.Duration(float64(time.Hour) / r.perHour)))
}

// browse visits a page: several servers, some of them by QUIC, each asked
// several times.
func (s *stream) browse() {
	wait := time.Duration(0)
	for i := range s.pareto(2, 1.3, 25) {
		srv := s.site()
		if s.chance(0.6) {
			wait += s.lookUp(srv)
		}
		talk := s.ask(time.Millisecond, 500, s.pareto(3000, 1.2, 30e6))
		for range s.pareto(1, 1.4, 40) - 1 {
			talk = append(talk, s.ask(s.around(80*time.Millisecond), s.pareto(150, 2, 4000), s.pareto(2000, 1.15, 30e6))...)
		}
		if i == 0 && s.chance(0.5) { // the page stays open and is read
			talk = append(talk, s.ask(s.around(time.Minute), 600, s.pareto(3000, 1.2, 5e6))...)
		}
		if s.chance(0.35) {
			s.begin(wait, s.quic(srv, talk...))
		} else {
			f := s.secure(srv, true, talk...)
			if s.chance(0.2) {
				f.closing = byRST
			}
			s.begin(wait, f)
		}
		wait += s.around(50 * time.Millisecond)
	}
}

// report is what programs do by themselves: telemetry, licences, protection.
func (s *stream) report() {
	srv := pick(s, s.network.cloud)
	wait := time.Duration(0)
	if s.chance(0.5) {
		wait = s.lookUp(srv)
	}
	s.begin(wait, s.secure(srv, false, s.ask(time.Millisecond, s.pareto(700, 1.3, 2e5), s.pareto(400, 1.5, 5e5))...))
}

// chat opens a conversation that stays for up to hours, with a sign of life
// every half minute.
func (s *stream) chat() {
	var talk []step
	for range s.pareto(4, 0.9, 600) {
		talk = append(talk, s.ask(s.between(20*time.Second, 40*time.Second), 35, 35)...)
		if s.chance(0.15) {
			talk = append(talk, s.ask(s.around(5*time.Second), s.pareto(300, 1.5, 1e5), s.pareto(600, 1.3, 2e6))...)
		}
	}
	s.begin(0, s.secure(pick(s, s.network.cloud), false, talk...))
}

// mail looks for mail and gets some.
func (s *stream) mail() {
	talk := s.ask(time.Millisecond, 600, 900)
	for range s.pareto(1, 1.5, 20) - 1 {
		talk = append(talk, s.ask(s.around(200*time.Millisecond), 500, s.pareto(6000, 1.05, 25e6))...)
	}
	if s.chance(0.15) { // writes one
		talk = append(talk, step{wait: s.around(3 * time.Second), noise: s.pareto(4000, 1.05, 20e6), gap: 300 * time.Microsecond},
			step{wait: 50 * time.Millisecond, server: true, noise: 300})
	}
	s.begin(s.lookUp(s.network.cloud[0]), s.secure(s.network.cloud[0], false, talk...))
}

// update downloads, in clear, what is signed.
func (s *stream) update() {
	srv := s.network.cloud[1]
	path := fmt.Sprintf("/filestreamingservice/files/%08x-%04x?P1=%d&P2=404&P3=2", s.random.Uint32(), uint16(s.random.Uint32()), s.now/1e9)
	s.begin(s.lookUp(srv), s.get(srv, path, "application/octet-stream", s.pareto(3e6, 0.8, 350e6), s.between(120*time.Microsecond, 600*time.Microsecond)))
	s.begin(time.Second, s.get(s.network.cloud[2], "/crl/dv2025.crl", "application/pkix-crl", s.pareto(2000, 1.3, 5e5), 200*time.Microsecond))
}

// watch streams a video: a piece every four seconds.
func (s *stream) watch() {
	srv := pick(s, s.network.video)
	var talk []step
	piece := float64(s.between(250e3, 1100e3))
	for range s.pareto(60, 1.2, 900) {
		talk = append(talk, s.ask(s.between(3*time.Second, 4800*time.Millisecond), 600, int(piece*(0.7+0.6*s.random.Float64())))...)
	}
	if wait := s.lookUp(srv); s.chance(0.5) {
		s.begin(wait, s.quic(srv, talk...))
	} else {
		s.begin(wait, s.secure(srv, true, talk...))
	}
}

// call is a conference: voice both ways, and often pictures (RFC 3550).
func (s *stream) call() {
	srv := pick(s, s.network.cloud)
	length := s.between(8*time.Minute, 55*time.Minute)
	rtp := func(kind byte) []byte {
		return s.noise.append([]byte{0x90, kind, 0, 0, 0, 0, 0, 0}, 4)
	}
	media := func(port uint16, kind byte, piece int, gap time.Duration) {
		s.begin(0, &flow{ends: s.ends(srv, port), protocol: udp, record: -1, steps: []step{
			{each: rtp(kind), noise: int(length/gap) * piece, piece: piece, gap: gap, both: true},
		}})
	}
	media(3479, 111, 130, 40*time.Millisecond)
	if s.chance(0.6) {
		media(3480, 96, 1050, 33*time.Millisecond)
	}
	s.begin(0, s.secure(srv, false, s.ask(time.Millisecond, 3000, 5000)...))
}

// share works on the file server: it looks, and copies now and then. Half of
// the files are text, the others packed.
func (s *stream) share() {
	f := &flow{ends: s.ends(s.network.files, 445), protocol: tcp, rtt: 400 * time.Microsecond, record: -1}
	id, session := uint64(0), s.random.Uint64()
	smb := func(command byte, more string) []byte { // MS-SMB2, section 2.2.1
		id++
		b := fmt.Appendf(nil, "\x00\x00\x00\x00\xfeSMB\x40\x00\x01\x00\x00\x00\x00\x00%c\x00\x1f\x00", command)
		for i := range 8 {
			b = append(b, byte(id>>(8*i)))
		}
		b = append(b, 0xff, 0xfe, 0, 0, 5, 0, 0, 0)
		for i := range 8 {
			b = append(b, byte(session>>(8*i)))
		}
		b = append(s.noise.append(b, 16), more...) // signature
		return b
	}
	both := func(wait time.Duration, command byte, ask, answer string) {
		f.steps = append(f.steps, step{wait: wait, plain: smb(command, ask)},
			step{wait: 600 * time.Microsecond, server: true, plain: smb(command, answer), gap: 15 * time.Microsecond})
	}
	both(0, 0, "\x24\x00\x05\x00\x01\x00\x00\x00\x7f\x00\x00\x00\x02\x02\x10\x02\x00\x03\x02\x03\x11\x03", string(s.noise.append([]byte("\x41\x00\x01\x00\x11\x03NEGOTIATE"), 120)))
	both(time.Millisecond, 1, string(s.noise.append([]byte("NTLMSSP\x00"), 400)), "STATUS_SUCCESS")
	both(time.Millisecond, 3, `\\files.corp.example\projects`, "\x10\x00\x01")
	for range s.pareto(2, 1.1, 60) {
		name := pick(s, words) + `\` + pick(s, words) + "-" + pick(s, words) + ".docx"
		both(s.around(time.Second), 5, name, string(s.noise.append(nil, 88)))
		both(time.Millisecond, 14, "*", name+string(s.text(s.pareto(200, 1.5, 8000))))
		if s.chance(0.4) {
			size := s.pareto(20e3, 1.0, 150e6)
			f.steps = append(f.steps, step{wait: time.Millisecond, plain: smb(8, name)},
				step{wait: time.Millisecond, server: true, plain: smb(8, ""), noise: size, readable: s.chance(0.3), gap: 30 * time.Microsecond})
		}
		both(time.Millisecond, 6, "\x18\x00", "\x3c\x00")
	}
	s.begin(0, f)
}

// domain asks the domain controller for a ticket and for a user.
func (s *stream) domain() {
	ticket := string(s.noise.append([]byte("\x00\x00\x05\xa0l\x82CORP.EXAMPLE\x1b\x04cifs\x1b\x12files.corp.example"), 1300))
	s.begin(s.lookUp(s.network.domain), &flow{ends: s.ends(s.network.domain, 88), protocol: tcp, rtt: 400 * time.Microsecond, record: -1, steps: []step{
		{plain: []byte(ticket)}, {wait: time.Millisecond, server: true, plain: []byte(ticket[:40]), noise: 1400},
	}})
	ldap := s.secure(s.network.domain, false, s.ask(0, s.pareto(300, 1.5, 4000), s.pareto(600, 1.2, 1e5))...)
	ldap.ends[1].port, ldap.rtt = 636, 400*time.Microsecond
	s.begin(20*time.Millisecond, ldap)
}

// fail tries what is not there.
func (s *stream) fail() {
	f := s.secure(s.site(), true)
	f.closing = refused
	if s.chance(0.7) {
		f.closing = unanswered
	}
	s.begin(0, f)
}

// scanned is what a company's own scanner does at night.
func (s *stream) scanned() {
	for port := range uint16(1000) {
		f := &flow{ends: s.ends(s.network.monitor, 0), protocol: tcp, closing: refused}
		f.ends[0], f.ends[1] = f.ends[1], f.ends[0]
		f.ends[0].port, f.ends[1].port = 40000+port%7, 1+port
		f.rtt = 20 * time.Microsecond
		s.begin(time.Duration(port)*40*time.Millisecond, f)
	}
}
