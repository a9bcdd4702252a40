// Package config holds the settings of the service: what they are, where they
// come from, and what is wrong with the values found there.
//
// The struct Settings is the one place that describes them. Its tags carry the
// name, default, allowed range and explanation of each; the checks, the
// messages and docs/configuration.md are made from them.
//
// A setting has one name in kebab case everywhere (ram-percent in the file,
// --ram-percent on the command line), except in the Windows registry, whose
// value names are in Pascal case by custom (RamPercent).
package config

//go:generate go test -run TestReference ./reference -update

// Settings are the values that the service runs with. The tags are read by
// Fields, which says what each means.
type Settings struct {
	RAMPercent    float64  `key:"ram-percent" flag:"ram-percent" default:"1" min:"0.1" max:"50" unit:"percent of RAM" example:"2.5" doc:"How much of the machine's physical memory the service may use, everything included. In a container or under a memory limit the limit counts as the machine's memory. A share that comes to less than 8 MiB gives 8 MiB."`
	RAMSize       Size     `key:"ram-size" flag:"ram-size" default:"" min:"8MiB" max:"50 % of RAM" example:"40MiB" doc:"The same as an absolute size: bytes, or a number with a unit (kB, MB, GB, TB in steps of 1000; KiB, MiB, GiB, TiB in steps of 1024). When it is set, ram-percent from the same place or a weaker one has no effect."`
	Interfaces    []string `key:"interfaces" flag:"interface" default:"" max:"256" item:"glob" keeps-out:"true" example:"eth*, wlan0" doc:"Which interfaces to capture from, by name; * stands for any characters, ? for one, [ab] for one of these. None named means all except loopback. One that does not exist yet is waited for."`
	Exclude       []string `key:"exclude" flag:"exclude" default:"" max:"256" item:"glob" keeps-out:"true" example:"docker*, veth*" doc:"Which interfaces to leave out, by name, with the same wildcards; stronger than interfaces."`
	CaptureFilter string   `key:"capture-filter" flag:"capture-filter" default:"" max:"4096" keeps-out:"true" example:"not host 192.0.2.1" doc:"What may be recorded, in the language of pcap-filter(7); packets that do not match never enter the cache. Empty means everything."`
	Promiscuous   bool     `key:"promiscuous" flag:"promiscuous" default:"false" example:"true" doc:"Whether to put interfaces into promiscuous mode, in which they also deliver frames addressed to other machines."`
	Bias          float64  `key:"bias" default:"2" min:"0" max:"8" example:"3" doc:"How strongly the beginnings of sessions are preferred to what follows. When room is needed, a piece of class k is given up as if it were 2^(bias x k) times as old. 0 forgets strictly by age; more keeps longer heads of more sessions and less of the bulk."`
	Retain        []string `key:"retain" flag:"retain" default:"" max:"16" item:"rule" example:"x4 port 53, x0.1 host 192.0.2.7, x0 net 198.51.100.0/24" doc:"Which sessions to keep for longer or shorter than others, by a factor and a filter: x4 port 53 for four times as long, x0.1 host 192.0.2.7 for a tenth of the time, x0 net 198.51.100.0/24 not at all. Filters are in the language of pcap-filter(7). The first rule that matches the first packet of a session decides for all of it, so a filter should match all its packets alike: write host, net, port and protocol, leave out src and dst (the first packet that is seen may be an answer) as well as flags, lengths and contents. Of a tunnel the filter sees the outside. A change concerns sessions that begin later; what is stored stays. First packets that nothing follows are kept without regard to rules, and the newest eighth of the memory is complete all the same. What must not be recorded belongs into capture-filter: a rule of factor 0 is for what is not worth its memory, and when the value is wrong, the service works without it."`
	DataDir       string   `key:"data-dir" flag:"data-dir" default:"/var/lib/packetcache" default-windows:"%ProgramData%\\PacketCache" max:"1024" item:"directory" restart:"true" example:"/srv/packetcache" doc:"Where the service keeps its files. An absolute path. The systemd unit lets the service write to the usual place only: after a change run pcctl install again, which makes the directory, for root alone, and adds it to the unit."`
	EndpointDir   string   `key:"endpoint-dir" flag:"endpoint-dir" default:"/run/packetcache" default-windows:"" max:"95" item:"endpoint" restart:"true" example:"/run/packetcache-lab" doc:"Linux: the directory of the two sockets, PacketCache (dumps) and control; an absolute path. Windows: appended to the names of both pipes, so that a second instance can run beside the service."`
	SocketGroup   string   `key:"socket-group" default:"" max:"256" item:"group" os:"linux" restart:"true" example:"wireshark" doc:"The group whose members may read the cache and control the service, besides root. Empty means root alone, and so does a group that does not exist, of which the service warns. After a change run pcctl install again, which makes the service a member of the group. Whoever reads the cache reads what this machine's users sent and received."`
	LogLevel      string   `key:"log-level" flag:"log-level" default:"info" enum:"trace,debug,info,warn,error" example:"debug" doc:"How much the service logs."`
}
