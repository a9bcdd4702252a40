#Requires -Version 5.1

<#
.SYNOPSIS
Saves what PacketCache on this machine remembers as a capture file.

.DESCRIPTION
Asks the PacketCache service of this machine for its packets and writes them to a
file, which appears when it is complete and not before. Its SHA-256 is compared
with what the service sent. It takes an administrator: open PowerShell with "Run
as administrator".

The exit code is 0 (done), 1 (failed), 2 (wrong usage, for example a filter that
cannot be read), 3 (the service does not run) or 4 (not permitted).

.PARAMETER OutFile
The file to write. One of that name is replaced. Without it the file is called
PacketCache-SECONDS.pcap, after the seconds since 1970, and replaces none.

.PARAMETER Filter
Only packets that match this expression, in the language of tcpdump:
"host 192.0.2.7 and port 443".

.PARAMETER Last
Only packets of the last so much time: 90s, 30m, 2h, 3d.

.PARAMETER Since
Only packets from this time on.

.PARAMETER Until
Only packets up to this time.

.PARAMETER Format
pcap, or pcapng, which has the names of the interfaces, nanoseconds and drop counts.

.PARAMETER Limit
Stop before the file exceeds so many bytes: 100MB.

.PARAMETER PassThru
Return the file as an object.

.EXAMPLE
.\ReadPacketCache.ps1

Saves everything to PacketCache-SECONDS.pcap.

.EXAMPLE
.\ReadPacketCache.ps1 -Last 30m -Filter 'port 53' -OutFile dns.pcap

.LINK
https://www.tcpdump.org/manpages/pcap-filter.7.html
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty()]
    [string]$OutFile,

    [string]$Filter,

    [ValidatePattern('^(\d+(\.\d+)?[smhd])+$')]
    [string]$Last,

    [datetime]$Since,

    [datetime]$Until,

    [ValidateSet('pcap', 'pcapng')]
    [string]$Format = 'pcap',

    [ValidateRange(1, 9223372036854775807)]
    [long]$Limit,

    [switch]$PassThru
)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

# What stands between these two lines is the same in ReadPacketCache.ps1 and
# ReadRemotePacketCache.ps1: each of them is copied around alone.
# --- shared by both scripts: begin ---

# Read-PacketCacheDump asks the service of the machine that it runs on for a dump,
# over HTTP on the control pipe (docs/control.md). It returns the dump in pieces of
# at most 64 KiB, as objects with Data; then one with Result, what the service says
# of the whole; or one with Failure and Message where there is no dump. It is sent
# to other machines, so it calls no other function of this script. What it returns
# it returns outside of try and catch: what then fails is not the reading.
function Read-PacketCacheDump {
    param([string]$Query)

    Set-StrictMode -Version 2
    $ErrorActionPreference = 'Stop'

    $explain = {
        param($Problem)
        $cause = $Problem.Exception
        while ($cause.InnerException) { $cause = $cause.InnerException }
        if ($cause -is [System.UnauthorizedAccessException]) {
            return [pscustomobject]@{ Failure = 'NoRights'; Message = 'access to the pipe is denied' }
        }
        if ($cause -is [System.TimeoutException]) {
            $service = Get-Service -Name PacketCache -ErrorAction SilentlyContinue
            $message = 'the service is not installed'
            if ($service) { $message = "the service is $($service.Status); start it with: Start-Service PacketCache" }
            if ($service -and "$($service.Status)" -eq 'Running') {
                $message = 'the service runs and does not answer: it is starting, or another PacketCache'
            }
            return [pscustomobject]@{ Failure = 'NoService'; Message = $message }
        }
        if ($cause -is [System.IO.IOException]) {
            return [pscustomobject]@{ Failure = 'Incomplete'; Message = 'the service closed the connection' }
        }
        return [pscustomobject]@{ Failure = 'Failed'; Message = $cause.Message }
    }
    $readLine = {
        $line = New-Object System.Text.StringBuilder
        while ($true) {
            $byte = $stream.ReadByte()
            if ($byte -lt 0) { throw (New-Object System.IO.EndOfStreamException) }
            if ($byte -eq 10) { return $line.ToString().TrimEnd("`r") }
            if ($line.Length -ge 65536) { throw 'the service sends a line without an end' }
            [void]$line.Append([char]$byte)
        }
    }

    # The service may learn who asks, and not act as them.
    $pipe = New-Object System.IO.Pipes.NamedPipeClientStream -ArgumentList @(
        '.', 'PacketCache-control',
        [System.IO.Pipes.PipeDirection]::InOut,
        [System.IO.Pipes.PipeOptions]::None,
        [System.Security.Principal.TokenImpersonationLevel]::Identification)
    try {
        $failure = $null
        $estimate = [long]0
        try {
            $pipe.Connect(5000)
            $request = "GET /v1/dump?$Query HTTP/1.1`r`nHost: packetcache`r`nConnection: close`r`n`r`n"
            $bytes = [System.Text.Encoding]::ASCII.GetBytes($request)
            $pipe.Write($bytes, 0, $bytes.Length)
            $pipe.Flush()
            $stream = New-Object System.IO.BufferedStream -ArgumentList $pipe, 65536
            $status = & $readLine
            while ($header = & $readLine) {
                if ($header -match '^X-PacketCache-Estimated-Bytes: *(\d+)$') { $estimate = [long]$Matches[1] }
            }
            if ($status -notmatch '^HTTP/1\.\d 200 ') {
                $reader = New-Object System.IO.StreamReader -ArgumentList $stream
                $text = $reader.ReadToEnd()
                $failure = [pscustomobject]@{ Failure = 'Failed'; Message = "the service answers: $status" }
                if ($status -match '^HTTP/1\.\d 400 ') { $failure.Failure = 'BadRequest' }
                if ($status -match '^HTTP/1\.\d 403 ') { $failure.Failure = 'NoRights' }
                if ($text -match '(?s)\{.*\}') {
                    $told = $Matches[0] | ConvertFrom-Json
                    $failure.Message = $told.error
                    if ($told.PSObject.Properties['hint']) { $failure.Message += '. ' + $told.hint }
                }
            }
        }
        catch { $failure = & $explain $_ }
        if ($failure) { return $failure }

        # The body comes in chunks (RFC 9112, section 7.1), of which there are left
        # so many bytes; -1 before the first one.
        $left = [long]-1
        while ($true) {
            $piece = $null
            try {
                if ($left -eq 0) { [void](& $readLine) } # ends the chunk
                if ($left -le 0) { $left = [Convert]::ToInt64((& $readLine).Split(';')[0].Trim(), 16) }
                if ($left -gt 0) {
                    $data = New-Object byte[] ([int][Math]::Min($left, [long]65536))
                    $n = $stream.Read($data, 0, $data.Length)
                    if ($n -le 0) { throw (New-Object System.IO.EndOfStreamException) }
                    if ($n -lt $data.Length) { [Array]::Resize([ref]$data, $n) }
                    $left -= $n
                    $piece = [pscustomobject]@{ Data = $data; Estimate = $estimate }
                }
            }
            catch { $failure = & $explain $_ }
            if ($failure) { return $failure }
            if (-not $piece) { break }
            $piece
        }
        $result = $null
        try {
            while ($trailer = & $readLine) {
                if ($trailer -match '^X-PacketCache-Result: *(\{.*\})$') { $result = $Matches[1] }
            }
        }
        catch { $failure = & $explain $_ }
        if ($failure) { return $failure }
        if ($result) { [pscustomobject]@{ Result = $result } }
    }
    finally {
        $pipe.Dispose()
    }
}

# Get-DumpQuery writes what is wanted as the service takes it.
function Get-DumpQuery {
    param([System.Collections.IDictionary]$Wanted)

    $parts = @('sha256=1')
    foreach ($name in 'Format', 'Filter', 'Last', 'Since', 'Until', 'Limit') {
        if (-not $Wanted.Contains($name)) { continue }
        $value = $Wanted[$name]
        if ($value -is [datetime]) { $value = $value.ToUniversalTime().ToString('o') }
        $parts += $name.ToLowerInvariant() + '=' + [Uri]::EscapeDataString("$value")
    }
    $parts -join '&'
}

# New-DumpFile opens a file beside Path, which Complete-DumpFile moves there and
# Remove-DumpFile takes away.
function New-DumpFile {
    param([string]$Path, [bool]$Replace)

    $part = "$Path.$PID.part"
    [pscustomobject]@{
        Path    = $Path
        Replace = $Replace
        Part    = $part
        Stream  = [System.IO.File]::Open($part, 'CreateNew', 'Write', 'Read')
        Bytes   = [long]0
        Result  = $null
        Failure = $null
        Message = ''
    }
}

function Write-DumpFile {
    param($File, $Piece)

    if ($Piece.PSObject.Properties['Data']) {
        $data = [byte[]]$Piece.Data
        $File.Stream.Write($data, 0, $data.Length)
        $File.Bytes += $data.Length
    }
    elseif ($Piece.PSObject.Properties['Result']) {
        $File.Result = $Piece.Result | ConvertFrom-Json
    }
    else {
        $File.Failure, $File.Message = $Piece.Failure, $Piece.Message
    }
}

# Complete-DumpFile puts the file at its place if all of it has come, and sets
# Failure and Message if not.
function Complete-DumpFile {
    param($File)

    $File.Stream.Flush($true) # to the disk, before it gets its name
    $File.Stream.Dispose()
    if ($File.Failure) { return }
    if (-not $File.Result -or $File.Result.bytes -ne $File.Bytes) {
        $File.Failure = 'Incomplete'
        $File.Message = "the connection broke after $($File.Bytes) bytes"
        return
    }
    if ((Get-FileHash -LiteralPath $File.Part -Algorithm SHA256).Hash -ne $File.Result.sha256) {
        $File.Failure, $File.Message = 'Incomplete', 'the SHA-256 of the file is not that of what the service sent'
        return
    }
    if (-not $File.Replace) {
        $directory = [System.IO.Path]::GetDirectoryName($File.Path)
        $base = [System.IO.Path]::GetFileNameWithoutExtension($File.Path)
        $extension = [System.IO.Path]::GetExtension($File.Path)
        for ($n = 2; Test-Path -LiteralPath $File.Path; $n++) {
            $File.Path = Join-Path $directory "$base-$n$extension"
        }
    }
    Move-Item -LiteralPath $File.Part -Destination $File.Path -Force
}

# Remove-DumpFile ends none of what else there is to be cleaned up.
function Remove-DumpFile {
    param($File)

    try { $File.Stream.Dispose() }
    catch { Write-Verbose "$_" } # what it had not written yet goes, too
    if (Test-Path -LiteralPath $File.Part) { Remove-Item -LiteralPath $File.Part -Force -ErrorAction Continue }
}

# Write-DumpSummary says what a complete file holds.
function Write-DumpSummary {
    param($File, [string]$HostName, [bool]$Bounded)

    $result = $File.Result
    Write-Verbose "$($File.Path): $($result.packets) packets, $($result.bytes) bytes, SHA-256 $($result.sha256)"
    if ($result.packets -eq 0 -and $Bounded) {
        Write-Warning "${HostName}: no packet matched, the file holds none. `"pcctl status`" there says how far back the cache reaches."
    }
    elseif ($result.packets -eq 0) {
        Write-Warning "${HostName}: the cache is empty, the file holds no packets. `"pcctl status`" there says what is recorded."
    }
    if ($result.evicted_packets -gt 0) {
        Write-Warning "${HostName}: $($result.evicted_packets) packets were evicted before they could be read."
    }
    if ($result.limit_reached) {
        Write-Warning "${HostName}: there was more, -Limit was reached."
    }
}

# Get-FailureText says why there is no dump of a host, and what to do.
function Get-FailureText {
    param([string]$HostName, [string]$Failure, [string]$Message)

    switch ($Failure) {
        'NoService' { "${HostName}: PacketCache cannot be reached: $Message" }
        'NoRights' { "${HostName}: not permitted: $Message. The cache holds other people's traffic, so reading it takes an administrator of that machine, in an elevated session." }
        'BadRequest' { "${HostName}: $Message" }
        'Incomplete' { "${HostName}: the dump is incomplete, nothing was kept: $Message. Try again." }
        default { "${HostName}: $Message" }
    }
}

# Get-FailureCode is the exit code, as pcctl has them.
function Get-FailureCode {
    param([string]$Failure)

    switch ($Failure) {
        'BadRequest' { 2 }
        'NoService' { 3 }
        'NoRights' { 4 }
        default { 1 }
    }
}

# Show-DumpProgress moves the bar.
function Show-DumpProgress {
    param([long]$Bytes, [long]$Estimate)

    $percent = -1
    if ($Estimate -gt 0 -and $Bytes -le $Estimate) { $percent = [int](100 * $Bytes / $Estimate) }
    Write-Progress -Activity 'Reading PacketCache' -Status ('{0:N1} MiB' -f ($Bytes / 1048576)) -PercentComplete $percent
}

# --- shared by both scripts: end ---

if ($env:OS -ne 'Windows_NT') {
    Write-Error 'This reads PacketCache on Windows; elsewhere use: pcctl dump' -ErrorAction Continue
    exit 2
}
$replace = $PSBoundParameters.ContainsKey('OutFile')
if (-not $replace) {
    $seconds = [long][Math]::Floor(([datetime]::UtcNow - [datetime]'1970-01-01').TotalSeconds)
    $OutFile = "PacketCache-$seconds.$Format"
}
# Programs and PowerShell may disagree about the current directory.
$path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutFile)
if (Test-Path -LiteralPath $path -PathType Container) {
    Write-Error "$path is a directory: name the file in it." -ErrorAction Continue
    exit 2
}
$wanted = @{ Format = $Format }
foreach ($name in 'Filter', 'Last', 'Since', 'Until', 'Limit') {
    if ($PSBoundParameters.ContainsKey($name)) { $wanted[$name] = $PSBoundParameters[$name] }
}
$hostName = [Environment]::MachineName

Write-Host "[*] Dumping PacketCache at $hostName"
$file = New-DumpFile -Path $path -Replace $replace
try {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    Read-PacketCacheDump -Query (Get-DumpQuery $wanted) | ForEach-Object {
        Write-DumpFile -File $file -Piece $_
        if ($watch.ElapsedMilliseconds -ge 500 -and $_.PSObject.Properties['Estimate']) {
            Show-DumpProgress -Bytes $file.Bytes -Estimate $_.Estimate
            $watch.Restart() # the bar is slow
        }
    }
    Complete-DumpFile -File $file
}
finally {
    # Also when Ctrl+C has been pressed.
    Remove-DumpFile -File $file
    Write-Progress -Activity 'Reading PacketCache' -Completed
}
if ($file.Failure) {
    Write-Error (Get-FailureText -HostName $hostName -Failure $file.Failure -Message $file.Message) -ErrorAction Continue
    exit (Get-FailureCode -Failure $file.Failure)
}
Write-Host "[*] PacketCache data saved to $($file.Path)"
Write-DumpSummary -File $file -HostName $hostName -Bounded ($wanted.Count -gt 1)
if ($PassThru) { Get-Item -LiteralPath $file.Path }
