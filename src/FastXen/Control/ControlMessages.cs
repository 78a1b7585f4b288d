using System.Text.Json;
using System.Text.Json.Serialization;
using FastXen.Loader.Hosting;

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
    public int Version { get; init; } = ControlProtocol.Version;
    public long Id { get; init; }
    public string? Command { get; init; }
    public string? Domain { get; init; }
    public string? Name { get; init; }
    public string? Config { get; init; }
    public string? File { get; init; }
    public string? Folder { get; init; }
    public bool Wait { get; init; }
    public bool Force { get; init; }
    public double? Grace { get; init; }
    public bool Clear { get; init; }
    public bool History { get; init; } = true;
}

/// <summary>An answer: <see cref="Result"/> or <see cref="Error"/>.</summary>
internal sealed record ControlAnswer
{
    public int Version { get; init; } = ControlProtocol.Version;
    public long Id { get; init; }
    public JsonElement? Result { get; init; }
    public string? Error { get; init; }
}

/// <summary>A domain, as <c>list</c> tells.</summary>
internal sealed record DomainInfo
{
    public required int Id { get; init; }
    public required string Name { get; init; }
    public required ulong MemoryBytes { get; init; }
    public required int Vcpus { get; init; }
    public required DomainState State { get; init; }
    public required double CpuSeconds { get; init; }
    public required double UptimeSeconds { get; init; }
    public required int Reboots { get; init; }
    public required string Kernel { get; init; }
    public required string Config { get; init; }
}

/// <summary>A domain that was named in a request, and what became of it.</summary>
internal sealed record DomainDone
{
    public required int Id { get; init; }
    public required string Name { get; init; }
    /// <summary>Why it ended, for a request that waited for it.</summary>
    public string? Ended { get; init; }
}

/// <summary>The host, as <c>info</c> tells.</summary>
internal sealed record HostInfo
{
    public required string Host { get; init; }
    public required string Release { get; init; }
    public required string Machine { get; init; }
    public required int Cpus { get; init; }
    public required ulong TotalMemoryBytes { get; init; }
    public required ulong FreeMemoryBytes { get; init; }
    public required int Domains { get; init; }
    public required ulong DomainMemoryBytes { get; init; }
    public required ulong ResidentBytes { get; init; }
    public required int Threads { get; init; }
    public required string FastxenVersion { get; init; }
    public required int Pid { get; init; }
    public required double UptimeSeconds { get; init; }
    public required string Socket { get; init; }
}

/// <summary>A line of <c>dmesg</c>.</summary>
internal sealed record LogLine(double Seconds, string Text);

/// <summary>An event, as <c>events</c> sends them.</summary>
internal sealed record EventLine(double Seconds, HostEventKind Event, int Id, string Name, string Detail);

/// <summary>Everything that goes over the socket, for the serializer that is made at compile time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
[JsonSerializable(typeof(DomainInfo))]
[JsonSerializable(typeof(List<DomainInfo>))]
[JsonSerializable(typeof(DomainDone))]
[JsonSerializable(typeof(List<DomainDone>))]
[JsonSerializable(typeof(HostInfo))]
[JsonSerializable(typeof(List<LogLine>))]
[JsonSerializable(typeof(EventLine))]
internal sealed partial class ControlJson : JsonSerializerContext;
