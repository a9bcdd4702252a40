package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestSyntaxErrors checks that what is wrong is found at the right place: at
// the ^ in want, which stands under the expression.
func TestSyntaxErrors(t *testing.T) {
	tests := []struct{ expr, want, msg string }{
		{"tcp port", "        ^", "ends where more is needed"},
		{"host", "    ^", "ends where more is needed"},
		{"tcp and", "       ^", "ends where more is needed"},
		{"(tcp", "    ^", "ends where more is needed"},
		{"ip[0", "    ^", "ends where more is needed"},
		{"not", "   ^", "ends where more is needed"},
		{"len >", "     ^", "ends where more is needed"},
		{"tcp)", "   ^", "')' cannot stand here"},
		{"()", " ^", "')' cannot stand here"},
		{"and tcp", "^", "'and' cannot stand here"},
		{"tcp tcp", "    ^", "'tcp' cannot stand here"},
		{"tcp 80", "    ^", "'80' cannot stand here"},
		{"1.2.3.4", "^", "write 'host' or 'net'"},
		{"::1", "^", "write 'host' or 'net'"},
		{"00:11:22:33:44:55", "^", "write 'ether host'"},
		{"80", "  ^", "ends where more is needed"},
		{"foo", "^", "no word of the filter language"},
		{"tcp and foo", "        ^", "nothing says what 'foo' is"},
		{"(host 1.2.3.4) and 2.3.4.5", "                   ^", "nothing says what '2.3.4.5' is"},
		{"tcp and ::1", "        ^", "nothing says what '::1' is"},
		{"host example.com", "     ^", "host names such as 'example.com' are not looked up"},
		{"src localhost", "    ^", "host names such as 'localhost' are not looked up"},
		{"net loopback", "    ^", "network names such as 'loopback' are not looked up"},
		{"ether host router", "           ^", "host names such as 'router' are not looked up"},
		{"gateway router", "        ^", "'gateway' needs names"},
		{"gateway 1.2.3.4", "        ^", "'gateway' needs names"},
		{"tcp host 1.2.3.4", "         ^", "'tcp' cannot stand directly before 'host'"},
		{"tcp net 10", "        ^", "'tcp' cannot stand directly before 'net'"},
		{"icmp port 80", "          ^", "only tcp, udp and sctp have ports"},
		{"ip port http", "        ^", "only tcp, udp and sctp have ports"},
		{"ip6 host 1.2.3.4", "         ^", "'ip6' does not go with an IPv4 address"},
		{"ip host ::1", "        ^", "'ip' does not go with an IPv6 address"},
		{"ether host 1.2.3.4", "           ^", "1.2.3.4 is no hardware address"},
		{"host 00:11:22:33:44:55", "     ^", "is a hardware address"},
		{"port 1.2.3.4", "     ^", "'port' must be followed by no address"},
		{"port ::1", "     ^", "'port' must be followed by no address"},
		{"host 1.2.3.256", "     ^", "'1.2.3.256' is no IPv4 address"},
		{"host 1.2.3.4/24", "     ^", "the network is 1.2.3.0"},
		{"host 1.2.3.0/24", "     ^", "only a network has a mask"},
		{"net 10.0.0.0/33", "    ^", "/33 is no prefix length"},
		{"net 10.0.0.1/8", "    ^", "the network is 10.0.0.0"},
		{"net 10.0.0.1 mask 255.0.0.0", "    ^", "the network is 10.0.0.0"},
		{"net 10.0.0.0/x", "             ^", "a prefix length must follow"},
		{"net 10.0.0.0 mask 8", "                  ^", "a mask such as"},
		{"net 10/8", "      ^", "'/' cannot stand here"},
		{"net fe80::1/10", "    ^", "the network is fe80::"},
		{"net ::/129", "    ^", "/129 is no prefix length"},
		{"host ::/64", "     ^", "only a network has a prefix length"},
		{"host 1:2:3", "     ^", "is not an Ethernet address"},
		{"port 65536", "     ^", "ports are 0 to 65535"},
		{"port nosuch", "     ^", "no port is named 'nosuch'"},
		{"udp port ssh", "         ^", "'ssh' is the name of a tcp port"},
		{"tcp port tftp", "         ^", "'tftp' is the name of a udp port"},
		{"portrange 1-70000", "          ^", "no range of ports"},
		{"portrange http", "          ^", "no range of ports"},
		{"ip proto nosuch", "         ^", "no protocol is named 'nosuch'"},
		{"ip proto tcp", "         ^", "'tcp' cannot stand here"},
		{"tcp proto 6", "          ^", "no field for 'proto'"},
		{"ether protochain 6", "                 ^", "goes only with 'ip' and 'ip6'"},
		{"ether", "^", "a link layer is no condition by itself"},
		{"radio", "^", "is no condition by itself"},
		{"src and 10.0.0.1", "        ^", "'src' is followed by no address"},
		{"src or src 10.0.0.1", "       ^", "'src' is followed by no address"},
		{"addr1 host 1.2.3.4", "           ^", "802.11 hardware addresses"},
		{"ra port 80", "        ^", "802.11 hardware addresses"},
		{"tcp broadcast", "^", "'tcp broadcast' does not exist"},
		{"tcp multicast", "^", "'tcp multicast' does not exist"},
		{"vlan 4096", "^", "VLANs are 0 to 4095"},
		{"mpls 1048576", "^", "labels are 0 to 1048575"},
		{"pppoes 65536", "^", "sessions are 0 to 65535"},
		{"geneve 16777216", "^", "networks are 0 to 16777215"},
		{"mpls and vlan", "         ^", "'vlan' cannot follow 'mpls'"},
		{"mpls and arp", "         ^", "only 'ip' and 'ip6' can be told apart"},
		{"ip[0:3] = 1", "     ^", "the size must be 1, 2 or 4"},
		{"ip[] = 1", "   ^", "']' cannot stand here"},
		{"ip[0", "    ^", "expected ']'"},
		{"ah[0] = 1", "^", "no bytes that can be indexed"},
		{"ip[0] = tcp", "           ^", "ends where more is needed"},
		{"len / 0 = 1", "    ^", "division by zero"},
		{"len % 0 = 1", "    ^", "division by zero"},
		{"len << 32 = 1", "    ^", "shift by 32 bits"},
		{"len", "   ^", "expected a comparison"},
		{"ip[0] + 5", "         ^", "expected a comparison"},
		{"(ip[0] + 5)", "           ^", "expected a comparison"},
		{"ip[0] & tcp-foo = 1", "        ^", "cannot stand here"},
		{"less tcp", "     ^", "expected a number after 'less'"},
		{"type foo", "     ^", "'foo' is no 802.11 frame type"},
		{"type 0x01", "     ^", "0x1 is no 802.11 frame type"},
		{"type mgt subtype rts", "                 ^", "no 802.11 subtype"},
		{"subtype foo", "        ^", "'foo' is no 802.11 subtype"},
		{"dir foo", "    ^", "'foo' is no 802.11 direction"},
		{"llc foo", "    ^", "no kind of LLC frame"},
		{"action foo", "       ^", "'foo' is no PF action"},
		{"reason foo", "       ^", "'foo' is no PF reason"},
		{"on averyveryverylongname", "   ^", "longer than the 15 bytes"},
		{"port 089", "     ^", "octal"},
		{"port 4294967296", "     ^", "does not fit 32 bits"},
		{"tcp # comment", "    ^", "does not belong"},
		{"tcp\nand\nfoo", "        ^", "nothing says what 'foo' is"},
		{"tcp and foo(", "           ^", "'(' cannot stand here"},
		{"host 1.2.3.4 or\n  §", "                  ^", "'§' does not belong"},
		{`ip proto \`, "         ^", "a backslash must stand directly before a name"},
		{"host ((1.2.3.4))", "       ^", "write 'host' or 'net'"},
		{"host (1.2.3.4 or tcp)", "                 ^", "'tcp' cannot stand here"},
	}
	for _, tt := range tests {
		_, err := Parse(tt.expr)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("Parse(%q): error is %v, not a SyntaxError", tt.expr, err)
			continue
		}
		if want := strings.IndexByte(tt.want, '^'); se.Offset != want {
			t.Errorf("Parse(%q): error is at %d, not %d: %v", tt.expr, se.Offset, want, err)
		}
		if !strings.Contains(err.Error(), tt.msg) {
			t.Errorf("Parse(%q): error does not say %q: %v", tt.expr, tt.msg, err)
		}
		if se.Expr != tt.expr {
			t.Errorf("Parse(%q): error is about %q", tt.expr, se.Expr)
		}
	}
}

func TestCaret(t *testing.T) {
	_, err := Parse("tcp and\n\thost ä")
	var se *SyntaxError
	if !errors.As(err, &se) {
		t.Fatal(err)
	}
	if got, want := se.Caret(), " host ä\n      ^"; got != want {
		t.Errorf("Caret() is\n%s\nwant\n%s", got, want)
	}
	if _, err = Parse("port"); !errors.As(err, &se) {
		t.Fatal(err)
	}
	if got, want := se.Caret(), "port\n    ^"; got != want {
		t.Errorf("Caret() is\n%s\nwant\n%s", got, want)
	}
}

func TestBounds(t *testing.T) {
	ports := func(n int) string { return "port 1" + strings.Repeat(" or 2", n) }
	deep := func(open, closing string, n int) string {
		return strings.Repeat(open, n) + "tcp" + strings.Repeat(closing, n)
	}
	for name, expr := range map[string]string{
		"length":      ports(maxExprLen / 5),
		"complexity":  ports(maxBlocks / 20),
		"parentheses": deep("(", ")", maxDepth),
		"not":         deep("not ", "", maxDepth),
		"minus":       strings.Repeat("-", maxDepth) + "1 = 1",
		"index":       strings.Repeat("ip[", maxDepth) + "0" + strings.Repeat("]", maxDepth) + " = 1",
		"numbers":     "vlan " + strings.Repeat("(", maxDepth+1) + "1" + strings.Repeat(")", maxDepth+1),
		"operators":   "1" + strings.Repeat(" ^ 1", maxDepth) + " = 1",
	} {
		var se *SyntaxError
		if _, err := Parse(expr); !errors.As(err, &se) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	for name, expr := range map[string]string{
		"complexity":  ports(maxBlocks / 40),
		"parentheses": deep("(", ")", 90),
		"not":         deep("not ", "", 100),
		"sum":         "1" + strings.Repeat("+1", 5000) + " = 5001",
	} {
		e, err := Parse(expr)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := e.Compile(packet.LinkTypeEthernet); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRegisters needs more numbers at once than there are scratch words.
func TestRegisters(t *testing.T) {
	expr := strings.Repeat("ip[0] + (", 20) + "1" + strings.Repeat(")", 20) + " = 1"
	var se *SyntaxError
	if _, err := Parse(expr); !errors.As(err, &se) || !strings.Contains(se.Msg, "scratch words") {
		t.Errorf("error is %v", err)
	}
}
