using System.Text.Json;
using System.Text.Json.Serialization;
using FastXen.Loader.Hosting;
using FastXen.Smp;

namespace FastXen.Control;

/// <summary>The control socket's protocol (docs/control.md): one JSON object a line, answers in the order of the requests.</summary>
internal static class ControlProtocol
{
    /// <summary>The version that this program speaks. A request of another one is refused.</summary>
    public const int Version = 1;

    /// <summary>Longest line in bytes, its end included: a config as a text, escaped.</summary>
    public const int LongestLine = 4 << 20;
}

/// <summary>A request. Which fields a command reads is said in docs/control.md.</summary>
internal sealed record ControlRequest
{
    public int Version { get; set; } = ControlProtocol.Version;
    public long Id { get; set; }
    public string? Command { get; set; }
    public string? Domain { get; set; }
    public string? Name { get; set; }
    public string? Config { get; set; }
    public string? File { get; set; }
    public string? Folder { get; set; }
    public bool Wait { get; set; }
    public bool Force { get; set; }
    public double? Grace { get; set; }
    public bool Clear { get; set; }
    public bool History { get; set; } = true;
    public int? Vcpu { get; set; }
    public string? Cpus { get; set; }
    public string? SoftCpus { get; set; }
    public int? Count { get; set; }
    public int? Weight { get; set; }
    public int? Cap { get; set; }
    public string? Memory { get; set; }
    public bool Checkpoint { get; set; }
}

/// <summary>An answer: <see cref="Result"/> or <see cref="Error"/>.</summary>
internal sealed record ControlAnswer
{
    public int Version { get; set; } = ControlProtocol.Version;
    public long Id { get; set; }
    public JsonElement? Result { get; set; }
    public string? Error { get; set; }
}

/// <summary>A domain, as <c>list</c> tells.</summary>
internal sealed record DomainInfo
{
    public required int Id { get; set; }
    public required string Name { get; set; }
    public required ulong MemoryBytes { get; set; }
    public required int Vcpus { get; set; }
    public required DomainState State { get; set; }
    public required double CpuSeconds { get; set; }
    public required double UptimeSeconds { get; set; }
    public required int Reboots { get; set; }
    public required string Kernel { get; set; }
    public required string Config { get; set; }
}

/// <summary>A processor, as <c>vcpu-list</c> tells.</summary>
internal sealed record VcpuInfo
{
    public required int Id { get; set; }
    public required string Name { get; set; }
    public required int Vcpu { get; set; }
    public required int? HostThread { get; set; }
    public required VcpuPhase State { get; set; }
    public required double CpuSeconds { get; set; }
    public required string HardAffinity { get; set; }
    public required string SoftAffinity { get; set; }
}

/// <summary>A domain's share, as <c>sched-credit</c> tells.</summary>
internal sealed record CreditInfo(int Id, string Name, int Weight, int Cap);

/// <summary>A domain that was named in a request, and what became of it.</summary>
internal sealed record DomainDone
{
    public required int Id { get; set; }
    public required string Name { get; set; }
    /// <summary>Why it ended, for a request that waited for it.</summary>
    public string? Ended { get; set; }
}

/// <summary>The host, as <c>info</c> tells.</summary>
internal sealed record HostInfo
{
    public required string Host { get; set; }
    public required string Release { get; set; }
    public required string Machine { get; set; }
    public required int Cpus { get; set; }
    public required ulong TotalMemoryBytes { get; set; }
    public required ulong FreeMemoryBytes { get; set; }
    public required int Domains { get; set; }
    public required ulong DomainMemoryBytes { get; set; }
    public required ulong MemoryLimitBytes { get; set; }
    public required ulong MemoryTakenBytes { get; set; }
    public required ulong ResidentBytes { get; set; }
    public required int Threads { get; set; }
    public required string FastxenVersion { get; set; }
    public required int Pid { get; set; }
    public required double UptimeSeconds { get; set; }
    public required string Socket { get; set; }
}

/// <summary>A line of <c>dmesg</c>.</summary>
internal sealed record LogLine(double Seconds, string Text);

/// <summary>An event, as <c>events</c> sends them.</summary>
internal sealed record EventLine(double Seconds, HostEventKind Event, int Id, string Name, string Detail);

/// <summary>A domain's line in <c>top</c>.</summary>
internal sealed record TopLine
{
    public required int Id { get; set; }
    public required string Name { get; set; }
    public required DomainState State { get; set; }
    public required double CpuSeconds { get; set; }
    public required double CpuPercent { get; set; }
    public required ulong MemoryBytes { get; set; }
    public required int Vcpus { get; set; }
    public required double UptimeSeconds { get; set; }
}

/// <summary>Everything that goes over the socket, for the serializer that is made at compile time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(ControlAnswer))]
[JsonSerializable(typeof(DomainInfo))]
[JsonSerializable(typeof(List<DomainInfo>))]
[JsonSerializable(typeof(DomainDone))]
[JsonSerializable(typeof(List<DomainDone>))]
[JsonSerializable(typeof(List<VcpuInfo>))]
[JsonSerializable(typeof(List<CreditInfo>))]
[JsonSerializable(typeof(List<TopLine>))]
[JsonSerializable(typeof(HostInfo))]
[JsonSerializable(typeof(List<LogLine>))]
[JsonSerializable(typeof(EventLine))]
internal sealed partial class ControlJson : JsonSerializerContext;
