package eventlog

// catalogue is in the order of IDs. A new event takes the next free ID of its
// category, one that testdata/ids.txt does not list; that of an event that goes
// stays there.
var catalogue = []Event{
	{
		ID: 1001, Name: "ServiceStarted", Severity: Information, Category: Service,
		Text:    "PacketCache started: version %1, with at most %2 bytes of memory. Settings other than the defaults: %3.",
		Inserts: []Insert{{"version", Text}, {"budget", Bytes}, {"settings", Text}},
		Do:      "Nothing.",
	},
	{
		ID: 1002, Name: "ServiceStopped", Severity: Information, Category: Service,
		Text:    "PacketCache stopped after %1. %2 packets were captured and %3 dropped. From now on nothing is recorded.",
		Inserts: []Insert{{"uptime", Duration}, {"packets", Count}, {"dropped", Count}},
		Do:      "Nothing, if the machine was shut down or somebody stopped the service on purpose.",
	},
	{
		ID: 1003, Name: "NotStarted", Severity: Error, Category: Service,
		Text:    "PacketCache could not start: %1: %2. Nothing is recorded.",
		Inserts: []Insert{{"step", Text}, {"error", Failure}},
		Do:      "Mend what the text names and start the service again. Settings are listed by \"pcctl config list --origin\".",
	},
	{
		ID: 1004, Name: "StopOverdue", Severity: Error, Category: Service,
		Text:    "PacketCache did not stop in time and was ended (%1). What it was doing stands in the events after this one.",
		Inserts: []Insert{{"reason", Text}},
		Do:      "Report it, with those events. The next start works as usual.",
	},
	{
		ID: 1005, Name: "ClientsCutOff", Severity: Warning, Category: Service,
		Text:    "Clients were cut off because the service stops: %1.",
		Inserts: []Insert{{"error", Failure}},
		Do:      "Repeat the dumps that broke off.",
	},
	{
		ID: 1006, Name: "EndpointTaken", Severity: Error, Category: Service,
		Text:    "The %1 can't be opened: %2. It is tried again every second.",
		Inserts: []Insert{{"endpoint", Text}, {"error", Failure}},
		Do:      "Find out which program has taken the name: it may be a second instance of PacketCache, or somebody who waits for what clients send.",
	},
	{
		ID: 1007, Name: "EndpointRecovered", Severity: Information, Category: Service,
		Text:    "The %1 has been opened after all.",
		Inserts: []Insert{{"endpoint", Text}},
		Do:      "Nothing.",
	},
	{
		ID: 1008, Name: "EndpointFailed", Severity: Error, Category: Service,
		Text:    "The %1 failed: %2.",
		Inserts: []Insert{{"endpoint", Text}, {"error", Failure}},
		Do:      "Restart the service if clients are not answered any more.",
	},
	{
		ID: 1009, Name: "MachineSlept", Severity: Information, Category: Service,
		Text:    "The machine slept for %1, in which nothing was recorded.",
		Inserts: []Insert{{"duration", Duration}},
		Do:      "Nothing.",
	},
	{
		ID: 1010, Name: "ClockSet", Severity: Information, Category: Service,
		Text:    "The clock of the machine was set: it went by %1 more than time did. Packets from before have times of the clock as it was.",
		Inserts: []Insert{{"step", Duration}},
		Do:      "Nothing, if the step is small or known. Keep it in mind when comparing times with other machines.",
	},
	{
		ID: 1011, Name: "EventsSuppressed", Severity: Warning, Category: Service,
		Text:    "%2 events with the ID %1 were left out here in the last %4, because there were too many of them: %3.",
		Inserts: []Insert{{"suppressed", Text}, {"count", Count}, {"subjects", Text}, {"period", Duration}},
		Do:      "See the events of that ID before this one for what keeps happening.",
	},
	{
		ID: 1012, Name: "ServiceFailed", Severity: Error, Category: Service,
		Text:    "PacketCache failed and has ended: %1. Nothing is recorded until it is started again.",
		Inserts: []Insert{{"error", Failure}},
		Do:      "Mend what the text names. The service manager starts the service again by itself.",
	},
	{
		ID: 1013, Name: "StoppedWhere", Severity: Error, Category: Service,
		Text:    "Part %1 of %2 of what PacketCache was doing when it did not start or stop in time: %3",
		Inserts: []Insert{{"part", Count}, {"parts", Count}, {"goroutines", Lines}},
		Do:      "Report it, with the event StopOverdue or StartOverdue before it.",
	},
	{
		ID: 1014, Name: "RegistrationIncomplete", Severity: Warning, Category: Service,
		Text:    "The registration of the service could not be completed with its %1: %2.",
		Inserts: []Insert{{"part", Text}, {"error", Failure}},
		Do:      "Run \"pcctl install\" as administrator, which sets all of it.",
	},
	{
		ID: 1015, Name: "RequestFailed", Severity: Error, Category: Service,
		Text:    "A request at the control endpoint failed: %1",
		Inserts: []Insert{{"problem", Lines}},
		Do:      "Report it. The service goes on.",
	},
	{
		ID: 1016, Name: "StartOverdue", Severity: Error, Category: Service,
		Text:    "PacketCache did not start within %1 and was ended. What it was doing stands in the events after this one.",
		Inserts: []Insert{{"limit", Duration}},
		Do:      "Report it, with those events. The service manager tries again by itself.",
	},
	{
		ID: 1017, Name: "ProgramExposed", Severity: Warning, Category: Service,
		Text:    "%1 can change %2, and so replace the program of the service, which runs as LocalSystem: who does so owns this machine.",
		Inserts: []Insert{{"account", Text}, {"path", Text}},
		Do:      "Put the programs into C:\\Program Files\\PacketCache and run \"pcctl install\" there, or take that right away with icacls.",
	},
	{
		ID: 1018, Name: "Crashed", Severity: Error, Category: Service,
		Text:    "PacketCache crashed at %1 and was started again. What it had in memory is gone. %2 holds what it printed: %3",
		Inserts: []Insert{{"time", Text}, {"file", Text}, {"trace", Lines}},
		Do:      "Report it, with that file. It holds no packets, but may hold numbers that the program worked with.",
	},
	{
		ID: 1019, Name: "CrashUnwatched", Severity: Warning, Category: Service,
		Text:    "If PacketCache crashes, it will not be known why: %1.",
		Inserts: []Insert{{"error", Failure}},
		Do:      "Mend what the text names, and restart the service. It works as usual.",
	},
	{
		ID: 1099, Name: "Unnumbered", Severity: Warning, Category: Service,
		Text:    "%1",
		Inserts: []Insert{{"message", Text}},
		Do:      "Report it: a warning ought to have an ID of its own.",
	},

	{
		ID: 1101, Name: "CaptureStarted", Severity: Information, Category: Capture,
		Text:    "Capture started on %1 (by %2, link type %3).",
		Inserts: []Insert{{"interface", Text}, {"backend", Text}, {"linktype", Text}},
		Do:      "Nothing.",
	},
	{
		ID: 1102, Name: "CaptureStopped", Severity: Information, Category: Capture,
		Text:    "Capture stopped on %1: %2.",
		Inserts: []Insert{{"interface", Text}, {"reason", Text}},
		Do:      "Nothing, if the interface was unplugged, switched off or excluded.",
	},
	{
		ID: 1103, Name: "CaptureFailed", Severity: Error, Category: Capture,
		Text:    "Capture failed on %1: %2. It is tried again.",
		Inserts: []Insert{{"interface", Text}, {"error", Failure}},
		Do:      "See \"pcctl interfaces\". If the interface should not be recorded, add it to the setting exclude.",
	},
	{
		ID: 1104, Name: "InterfaceMissing", Severity: Warning, Category: Capture,
		Text:    "The interface %1 is asked for and not there; it is waited for.",
		Inserts: []Insert{{"interface", Text}},
		Do:      "Compare the setting interfaces with the names in \"pcctl interfaces\".",
	},
	{
		ID: 1105, Name: "PacketsDropped", Severity: Warning, Category: Capture,
		Text:    "Packets were dropped on %1 before they could be stored: %2 since this was last told.",
		Inserts: []Insert{{"interface", Text}, {"packets", Count}},
		Do:      "If it goes on, give the service more memory, of which an eighth is for buffers, or keep out bulk traffic by the setting capture-filter.",
	},
	{
		ID: 1106, Name: "FileReplayed", Severity: Information, Category: Capture,
		Text:    "File replayed: %1, %2 packets in %3.",
		Inserts: []Insert{{"file", Text}, {"packets", Count}, {"duration", Duration}},
		Do:      "Nothing.",
	},
	{
		ID: 1107, Name: "ReplayBroken", Severity: Error, Category: Capture,
		Text:    "The file %1 could not be replayed to its end: %3. The %2 packets before are kept.",
		Inserts: []Insert{{"file", Text}, {"packets", Count}, {"error", Failure}},
		Do:      "Get an undamaged copy of the file.",
	},
	{
		ID: 1108, Name: "CaptureLimited", Severity: Warning, Category: Capture,
		Text:    "Capture on %1 by %2 does not see everything: %3.",
		Inserts: []Insert{{"interface", Text}, {"backend", Text}, {"note", Text}},
		Do:      "Keep in mind that what it does not see is in no dump. On Windows, Npcap sees more than raw sockets do.",
	},

	{
		ID: 1201, Name: "DumpServed", Severity: Information, Category: Access,
		Text:    "Dump served to %1, %2: %3 packets, %4 bytes, filter %5. %6 packets were evicted before they could be read.",
		Inserts: []Insert{{"user", Text}, {"program", Text}, {"packets", Count}, {"bytes", Bytes}, {"filter", Text}, {"evicted", Count}},
		Do:      "Make sure that this person had a reason to read the machine's traffic.",
	},
	{
		ID: 1202, Name: "DumpBrokenOff", Severity: Warning, Category: Access,
		Text:    "Dump broken off for %1, %2, after %3 packets, %4 bytes, filter %5: %6.",
		Inserts: []Insert{{"user", Text}, {"program", Text}, {"packets", Count}, {"bytes", Bytes}, {"filter", Text}, {"error", Failure}},
		Do:      "As for a dump that was served. The client has a part of the file only.",
	},
	{
		ID: 1203, Name: "DumpRefused", Severity: Warning, Category: Access,
		Text:    "Dump refused to %1, %2: the filter %3 can't be used: %4.",
		Inserts: []Insert{{"user", Text}, {"program", Text}, {"filter", Text}, {"error", Failure}},
		Do:      "Correct the filter of the client; \"pcctl dump --filter\" shows where it is wrong.",
	},
	{
		ID: 1204, Name: "AccessRefused", Severity: Warning, Category: Access,
		Text:    "Access refused to %1, %2.",
		Inserts: []Insert{{"user", Text}, {"program", Text}},
		Do:      "Find out what this account wanted with the traffic of the machine.",
	},

	{
		ID: 1301, Name: "SettingChanged", Severity: Information, Category: Settings,
		Text:    "The setting %1 was changed from %2 to %3 (%4).",
		Inserts: []Insert{{"setting", Text}, {"from", Text}, {"to", Text}, {"origin", Text}},
		Do:      "Make sure that the change was meant, above all of what is captured.",
	},
	{
		ID: 1302, Name: "SettingWrong", Severity: Warning, Category: Settings,
		Text:    "A setting is wrong at %1: %2.",
		Inserts: []Insert{{"place", Text}, {"problem", Text}},
		Do:      "Correct the value; docs/configuration.md lists what is allowed.",
	},
	{
		ID: 1303, Name: "PolicyInForce", Severity: Information, Category: Settings,
		Text:    "A policy decides these settings: %1.",
		Inserts: []Insert{{"settings", Text}},
		Do:      "Nothing. What a policy decides can't be changed on this machine.",
	},

	{
		ID: 1401, Name: "MemoryNotLocked", Severity: Warning, Category: Cache,
		Text:    "The memory of the cache can't be locked: %1. Captured packets may be paged to disk.",
		Inserts: []Insert{{"error", Failure}},
		Do:      "Give the service the right to lock memory, or encrypt the disk that holds the page file.",
	},
	{
		ID: 1402, Name: "MemoryResized", Severity: Information, Category: Cache,
		Text:    "The memory of the cache was changed from %1 to %2 bytes.",
		Inserts: []Insert{{"from", Bytes}, {"to", Bytes}},
		Do:      "Nothing.",
	},
	{
		ID: 1403, Name: "MemoryNotResized", Severity: Error, Category: Cache,
		Text:    "The memory of the cache can't be changed to %1 bytes: %2. It stays as it was.",
		Inserts: []Insert{{"to", Bytes}, {"error", Failure}},
		Do:      "Choose a smaller size, or close programs that need much memory.",
	},
	{
		ID: 1404, Name: "MemoryNotReleased", Severity: Error, Category: Cache,
		Text:    "The memory of the cache can't be given back: %1.",
		Inserts: []Insert{{"error", Failure}},
		Do:      "Nothing: the end of the process gives it back.",
	},
	{
		ID: 1405, Name: "PacketsDamaged", Severity: Error, Category: Cache,
		Text:    "Packets in the cache can't be read any more: %1. All others can.",
		Inserts: []Insert{{"error", Failure}},
		Do:      "Test the machine's memory; if that is sound, report this.",
	},
}
