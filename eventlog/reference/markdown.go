package reference

import (
	"fmt"
	"strings"

	"github.com/packetcache/packetcache/eventlog"
)

const introduction = `<!-- Made from eventlog/catalogue.go by "make generate"; a test compares. -->
# Events

On Windows the service reports to the Event Log: Event Viewer, Windows Logs,
Application, source ` + "`PacketCache`" + `. Under systemd it reports to the
journal: ` + "`journalctl -u packetcache`" + `. An ID never changes its meaning and is
never used for something else. "pcctl events" prints this list.

Texts of users, such as names and filters, stand in events on one line and cut
at 2 KiB. More than 20 events of one ID about one subject (the first insert: an
interface, a user) in a short time, or more than 100 of one ID, are left out and
counted, and event 1011 tells how many, 5 minutes later or when the service ends;
so are those for which there is no room while the system's log does not answer and
128 entries wait for it. The level of the log (the setting
` + "`log-level`" + `) counts for events too: at "error", warnings are not reported.

Every warning and every error is an event. The few lines of the log that are
none, such as a client that left before its dump began, go to the journal too;
a Windows service has no place for them, so run ` + "`packetcache --log-level debug`" + `
in an elevated console to see them. A crash of the program itself is event 1018
at the next start, on Windows, and before that one of the service control manager
(7031, 7034).

| ID | severity | category | name | text |
| --- | --- | --- | --- | --- |
`

const forwarding = `
## Watching and forwarding

**Event Viewer.** ` + "`eventlog/PacketCache.xml`" + ` is a custom view: Action, Import
Custom View. It shows the events of the service, and those of the service
control manager about it.

**PowerShell.**

` + "```powershell" + `
Get-WinEvent -FilterHashtable @{LogName='Application'; ProviderName='PacketCache'; Level=2,3} -MaxEvents 50
` + "```" + `

**Windows Event Forwarding.** The query of a subscription for warnings, errors,
and whatever concerns access:

` + "```xml" + `
%s` + "```" + `

Events are rendered on the machine that they come from if the subscription asks
for "RenderedText" (` + "`wecutil ss NAME /cf:RenderedText`" + `), which is its default;
the collector then needs no PacketCacheEvents.dll. With "Events" it does. The
inserts arrive as ` + "`EventData/Data`" + `, in the order of the lists below.

**journald.** Each event is an entry with these fields, beside the usual ones:

| field | holds |
| --- | --- |
| ` + "`MESSAGE`" + ` | the text with its inserts |
| ` + "`PRIORITY`" + ` | 3 for an error, 4 for a warning, 6 for information |
| ` + "`PACKETCACHE_EVENT`" + ` | the ID |
| ` + "`PACKETCACHE_NAME`" + ` | the name |
| ` + "`PACKETCACHE_CATEGORY`" + ` | the category |
| ` + "`PACKETCACHE_...`" + ` | an insert, by its name below: ` + "`PACKETCACHE_INTERFACE`" + `; missing if it is empty |

` + "```sh" + `
journalctl -u packetcache PACKETCACHE_EVENT=1201 -o json   # who read the cache
journalctl -u packetcache -p warning                       # what went wrong
` + "```" + `
`

// Markdown returns docs/events.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(introduction)
	for _, e := range eventlog.Events() {
		fmt.Fprintf(&b, "| [%d](#%[1]d) | %s | %s | %s | %s |\n", e.ID, e.Severity, e.Category, e.Name, e.Text)
	}
	fmt.Fprintf(&b, forwarding, forwardingQuery)
	for _, c := range eventlog.Categories() {
		fmt.Fprintf(&b, "\n## %s\n", c)
		for _, e := range eventlog.Events() {
			if e.Category != c {
				continue
			}
			fmt.Fprintf(&b, "\n<a id=\"%d\"></a>\n\n### %[1]d %s (%s)\n\n%s\n\n", e.ID, e.Name, strings.ToLower(e.Severity.String()), e.Text)
			for i, in := range e.Inserts {
				fmt.Fprintf(&b, "- %%%d `%s`: %s\n", i+1, in.Name, kind(in.Kind))
			}
			fmt.Fprintf(&b, "\n**What to do:** %s\n", e.Do)
		}
	}
	return b.String()
}

func kind(k eventlog.Kind) string {
	switch k {
	case eventlog.Failure:
		return "what went wrong"
	case eventlog.Count:
		return "number"
	case eventlog.Bytes:
		return "number of bytes"
	case eventlog.Duration:
		return "time span, such as 1h2m3s"
	case eventlog.Lines:
		return "text of several lines"
	}
	return "text"
}
