// Package adapters is the Windows side of a capture.Loop: it lists the network
// adapters of the machine, watches them come and go, and decides for each what
// captures from it: Npcap where that knows it, raw sockets elsewhere.
//
// Sources: the pages of iphlpapi.h and netioapi.h on learn.microsoft.com,
// "GetAdaptersAddresses function", "GetIfTable2Ex function", "GetIfStackTable
// function" and "NotifyIpInterfaceChange function" above all.
package adapters
