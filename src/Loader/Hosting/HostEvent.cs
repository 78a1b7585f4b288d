using System.Text.Json.Serialization;

namespace FastXen.Loader.Hosting;

/// <summary>What happened to a domain.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HostEventKind>))]
public enum HostEventKind
{
    /// <summary>It was made and runs, or waits to be unpaused.</summary>
    Created,
    /// <summary>It was paused.</summary>
    Paused,
    /// <summary>It runs again.</summary>
    Unpaused,
    /// <summary>Its guest was asked to shut down.</summary>
    AskedToShutDown,
    /// <summary>Its guest was asked to shut down, to be started again.</summary>
    AskedToReboot,
    /// <summary>Its machine was reset and starts again.</summary>
    Rebooted,
    /// <summary>It was saved to a file.</summary>
    Saved,
    /// <summary>It has another name.</summary>
    Renamed,
    /// <summary>Its guest ended, and it is kept as it is.</summary>
    Preserved,
    /// <summary>A core file of it was written, or could not be.</summary>
    Dumped,
    /// <summary>It says why it stops for a reason that its guest did not ask for.</summary>
    Reported,
    /// <summary>Its guest powered off, or halted its processors.</summary>
    PoweredOff,
    /// <summary>It was stopped from outside.</summary>
    Destroyed,
    /// <summary>It crashed.</summary>
    Crashed,
}

/// <summary>Something that happened to a domain.</summary>
/// <param name="Time">Since the host was started.</param>
/// <param name="Kind">What.</param>
/// <param name="Id">The domain's id.</param>
/// <param name="Name">The domain's name at that time.</param>
/// <param name="Detail">More in words, or empty.</param>
public sealed record HostEvent(TimeSpan Time, HostEventKind Kind, int Id, string Name, string Detail)
{
    /// <summary>The line of the host's log.</summary>
    public override string ToString() => $"{Name} ({Id}): " + Kind switch
    {
        HostEventKind.Created => $"created{Words(", ")}",
        HostEventKind.Paused => "paused",
        HostEventKind.Unpaused => "unpaused",
        HostEventKind.AskedToShutDown => $"asked to shut down{Words(", ")}",
        HostEventKind.AskedToReboot => $"asked to shut down, to be started again{Words(", ")}",
        HostEventKind.Rebooted => "rebooted",
        HostEventKind.Saved => $"saved{Words(" to ")}",
        HostEventKind.Renamed => $"renamed{Words(", ")}",
        HostEventKind.Preserved => $"kept as it is{Words(": ")}",
        HostEventKind.Reported or HostEventKind.Dumped => Detail,
        HostEventKind.PoweredOff => "powered off",
        HostEventKind.Destroyed => "destroyed",
        _ => $"crashed{Words(": ")}",
    };

    private string Words(string separator) => Detail.Length == 0 ? "" : separator + Detail;
}
