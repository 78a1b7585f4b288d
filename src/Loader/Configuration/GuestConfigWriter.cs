using System.Buffers;
using System.Text.Json;
using FastXen.Smp;

namespace FastXen.Loader.Configuration;

/// <summary>Writes a config as a text that <see cref="GuestConfigReader"/> reads; paths in it are absolute.</summary>
public static class GuestConfigWriter
{
    /// <summary>The text, UTF-8.</summary>
    public static byte[] Write(GuestConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArrayBufferWriter<byte> text = new();
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartObject();
            json.WriteString("name", config.Name);
            json.WriteString("personality", Spell(config.Personality));
            if (config.IsPrivileged) json.WriteBoolean("privileged", true);
            json.WriteString("memory", MemorySize.Format(config.Memory));
            json.WriteNumber("vcpus", config.Vcpus);
            json.WriteNumber("weight", config.Credit.Weight);
            json.WriteNumber("cap", config.Credit.Cap);
            if (config.Cpus != ulong.MaxValue) json.WriteString("cpus", HostThreadSet.Format(config.Cpus, Scheduler.MaximumHostThreads));
            if (config.CpusSoft != ulong.MaxValue) json.WriteString("cpusSoft", HostThreadSet.Format(config.CpusSoft, Scheduler.MaximumHostThreads));
            json.WriteString("engine", Spell(config.Engine));
            json.WriteString("clock", Spell(config.Clock));
            json.WriteString("kernel", Path.GetFullPath(config.Kernel));
            WritePath(json, "initrd", config.Initrd);
            json.WriteString("commandLine", config.CommandLine);
            json.WriteStartArray("disks");
            foreach (DiskConfig disk in config.Disks) WriteDisk(json, disk);
            json.WriteEndArray();
            json.WriteStartArray("network");
            foreach (NetworkConfig network in config.Network) WriteNetwork(json, network);
            json.WriteEndArray();
            if (config.HasRng) json.WriteBoolean("rng", true);
            WriteConsole(json, config.Console);
            WritePath(json, "efiVariables", config.EfiVariables);
            json.WriteString("onPoweroff", config.Ends.OnPoweroff.Spelled());
            json.WriteString("onReboot", config.Ends.OnReboot.Spelled());
            json.WriteString("onCrash", config.Ends.OnCrash.Spelled());
            WritePath(json, "coreFile", config.Ends.CoreFile);
            if (config.Reservation is { } reservation) WriteReservation(json, reservation);
            json.WriteEndObject();
        }
        return text.WrittenSpan.ToArray();
    }

    private static void WriteReservation(Utf8JsonWriter json, RealTimeParameters reservation)
    {
        json.WriteStartObject("reservation");
        json.WriteNumber("period", (int)reservation.Period.TotalMilliseconds);
        json.WriteNumber("slice", (int)reservation.Slice.TotalMilliseconds);
        json.WriteBoolean("extraTime", reservation.ExtraTime);
        json.WriteEndObject();
    }

    private static void WriteDisk(Utf8JsonWriter json, DiskConfig disk)
    {
        json.WriteStartObject();
        if (disk.Backend is { } backend)
        {
            json.WriteString("backend", backend);
            json.WriteString("target", disk.Path);
        }
        else
        {
            WritePath(json, "path", disk.Path);
        }
        if (disk.ReadOnly) json.WriteBoolean("readOnly", true);
        WritePath(json, "overlay", disk.Overlay);
        if (disk.Name is { } name) json.WriteString("name", name);
        if (disk.IsPci) json.WriteBoolean("pci", true);
        json.WriteEndObject();
    }

    private static void WriteNetwork(Utf8JsonWriter json, NetworkConfig network)
    {
        json.WriteStartObject();
        json.WriteString("type", Spell(network.Type));
        if (network.Backend is { } backend) json.WriteString("backend", backend);
        if (network.Device is { } device) json.WriteString("device", device);
        if (network.Type == NetworkType.Switch) json.WriteString("bridge", network.Bridge);
        if (network.Mac is { } mac) json.WriteString("mac", string.Join(':', mac.Select(static b => b.ToString("x2"))));
        json.WriteStartArray("hostForwards");
        foreach (HostForward forward in network.HostForwards)
            json.WriteStringValue($"{Spell(forward.Protocol)}:{forward.Host.Address}:{forward.Host.Port}:{forward.GuestPort}");
        json.WriteEndArray();
        if (network.IsPci) json.WriteBoolean("pci", true);
        json.WriteEndObject();
    }

    private static void WriteConsole(Utf8JsonWriter json, ConsoleConfig console)
    {
        json.WriteStartObject("console");
        json.WriteString("type", Spell(console.Type));
        WritePath(json, "path", console.Path);
        // Control characters are the columns @ to _ of ASCII less 0x40.
        json.WriteString("escape", console.Escape is { } escape ? $"ctrl-{(char)(escape + '@')}" : "none");
        json.WriteEndObject();
    }

    private static void WritePath(Utf8JsonWriter json, string field, string? path)
    {
        if (path is not null) json.WriteString(field, Path.GetFullPath(path));
    }

    private static string Spell<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
