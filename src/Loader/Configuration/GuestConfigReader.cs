using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using FastXen.Core;
using FastXen.Smp;
using FastXen.Xen;
using FastXen.Xen.Backends.Block;
using Microsoft.Extensions.Configuration;

namespace FastXen.Loader.Configuration;

/// <summary>Reads guest configs. Fields are read by hand: nothing here needs reflection.</summary>
public static class GuestConfigReader
{
    /// <summary>Largest config file in bytes.</summary>
    public const int MaximumFileSize = 1 << 20;

    /// <summary>Most guests in one file.</summary>
    public const int MaximumGuests = 1024;

    /// <summary>What a guest's name may be.</summary>
    public const string NameRule = "1 to 64 letters, digits, '-', '_' or '.'";

    private static readonly string[] GuestFields =
    [
        "$schema", "name", "personality", "privileged", "memory", "vcpus", "hostThreads", "weight", "cap", "cpus", "cpusSoft", "engine", "clock", "kernel", "initrd", "commandLine",
        "disks", "network", "rng", "console", "efiVariables", "onPoweroff", "onReboot", "onCrash", "coreFile", "reservation",
    ];

    /// <summary>Reads a config file of one guest.</summary>
    public static GuestConfig Read(string file) => Read(file, new Dictionary<string, string?>(), []);

    /// <summary>Reads a config file of one guest, or of several in a list <c>"domains"</c>.</summary>
    public static IReadOnlyList<GuestConfig> ReadAll(string file) => ParseAll(new ConfigSource(file, []), ReadFile(file));

    /// <summary>Reads one guest or several from a text. Relative paths are relative to <paramref name="folder"/>; messages call the text "config".</summary>
    public static IReadOnlyList<GuestConfig> ParseInline(string json, string folder)
    {
        int length = Encoding.UTF8.GetByteCount(json);
        return length <= MaximumFileSize
            ? ParseAll(new ConfigSource("config", [], folder), Encoding.UTF8.GetBytes(json))
            : throw new ConfigException("config", $"a config has at most {MaximumFileSize} bytes, this text has {length}");
    }

    /// <summary>Whether a text keeps to <see cref="NameRule"/>.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= 64 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>
    /// Reads a config file (or none) with fields of the command line over it: <paramref name="fields"/> by configuration key ("console:type"),
    /// paths in them relative to the working directory; <paramref name="disks"/> come after those of the file.
    /// </summary>
    public static GuestConfig Read(string? file, IReadOnlyDictionary<string, string?> fields, IReadOnlyList<string> disks) =>
        Parse(file, file is null ? "{}"u8.ToArray() : ReadFile(file), fields, disks);

    /// <summary>As <see cref="Read(string?, IReadOnlyDictionary{string, string?}, IReadOnlyList{string})"/>, from the file's contents.</summary>
    public static GuestConfig Parse(string? file, byte[] json, IReadOnlyDictionary<string, string?> fields, IReadOnlyList<string> disks)
    {
        IConfigurationRoot inFile = Build(file, json, []);
        Dictionary<string, string?> overrides = new(fields, StringComparer.OrdinalIgnoreCase);
        int first = inFile.GetSection("disks").GetChildren().Count();
        for (int i = 0; i < disks.Count; i++) overrides[$"disks:{first + i}:path"] = Path.GetFullPath(disks[i]);

        ConfigSource source = new(file, overrides.Keys);
        return ReadGuest(source, new ConfigNode(source, Build(file, json, overrides), "", GuestFields), DefaultName(file));
    }

    private static List<GuestConfig> ParseAll(ConfigSource source, byte[] json)
    {
        IConfigurationRoot root = Build(source.Name, json, []);
        string name = DefaultName(source.File);
        if (!root.GetSection("domains").Exists()) return [ReadGuest(source, new ConfigNode(source, root, "", GuestFields), name)];
        ConfigNode node = new(source, root, "", "$schema", "hostThreads", "domains");
        int? hostThreads = ReadHostThreads(node);
        List<ConfigNode> guests = node.Objects("domains", MaximumGuests, GuestFields);
        List<GuestConfig> configs = [];
        for (int n = 0; n < guests.Count; n++)
        {
            GuestConfig config = ReadGuest(source, guests[n], $"{name}-{n + 1}", hostThreads);
            if (configs.Exists(other => other.Name == config.Name)) throw guests[n].Problem("name", $"there are two domains \"{config.Name}\"");
            configs.Add(config);
        }
        return configs;
    }

    private static string DefaultName(string? file) => file is null ? "guest" : Path.GetFileNameWithoutExtension(file);

    private static byte[] ReadFile(string file)
    {
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read);
            if (stream.Length > MaximumFileSize) throw new ConfigException(file, $"a config has at most {MaximumFileSize} bytes, this file has {stream.Length}");
            byte[] json = new byte[stream.Length];
            stream.ReadExactly(json);
            return json;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(file, Images.ImageFile.Reason(e), e);
        }
    }

    private static IConfigurationRoot Build(string? file, byte[] json, Dictionary<string, string?> overrides)
    {
        try
        {
            return new ConfigurationBuilder()
                .AddJsonStream(new MemoryStream(json, writable: false))
                .AddInMemoryCollection(overrides)
                .Build();
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or InvalidDataException or ArgumentException)
        {
            Exception cause = e.InnerException ?? e;
            string place = cause is JsonException { LineNumber: { } line } ? $" (line {line + 1})" : "";
            throw new ConfigException(file ?? "command line", $"not a JSON object that describes a guest{place}: {FirstSentence(cause.Message)}", e);
        }
    }

    // System.Text.Json appends " LineNumber: ... | BytePositionInLine: ..." and may quote the text with its control characters.
    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        StringBuilder clean = new();
        foreach (char c in end < 0 ? message : message[..end]) clean.Append(char.IsControl(c) ? ' ' : c);
        return clean.ToString();
    }

    private static GuestConfig ReadGuest(ConfigSource source, ConfigNode node, string defaultName, int? hostThreads = null)
    {
        Personality personality = node.Choice("personality", Personality.Platform);
        GuestConfig config = new()
        {
            Source = source.Name,
            Name = ReadName(node, defaultName),
            Personality = personality,
            IsPrivileged = ReadPrivileged(node, personality),
            Memory = ReadMemory(node, personality),
            Vcpus = node.Number("vcpus", 1, 1, MachineLimits.Vcpus),
            HostThreads = hostThreads ?? ReadHostThreads(node),
            Credit = new CreditParameters(
                node.Number("weight", CreditParameters.DefaultWeight, 1, CreditParameters.MaximumWeight), node.Number("cap", 0, 0, CreditParameters.MaximumCap)),
            Cpus = ReadHostThreadSet(node, "cpus"),
            CpusSoft = ReadHostThreadSet(node, "cpusSoft"),
            Engine = node.Choice("engine", EngineKind.Translator),
            Clock = ReadClock(node, personality),
            Kernel = node.RequiredFile("kernel"),
            Initrd = node.File("initrd"),
            CommandLine = ReadCommandLine(node),
            Disks = node.Objects("disks", MachineLimits.Disks, "path", "readOnly", "format", "overlay", "name", "backend", "target", "pci").ConvertAll(disk => ReadDisk(disk, personality)),
            Network = node.Objects("network", MachineLimits.NetworkInterfaces, "type", "device", "bridge", "mac", "hostForwards", "backend", "pci")
                .ConvertAll(network => ReadNetwork(network, personality)),
            HasRng = ReadRng(node, personality),
            Console = ReadConsole(node.Object("console", "type", "path", "escape")),
            EfiVariables = ReadEfiVariables(node, personality),
            Ends = ReadEnds(node),
            Reservation = ReadReservation(node.Object("reservation", "period", "slice", "extraTime")),
        };
        CheckBackends(node, config);
        return !config.HasPciDevices || config.Memory <= ParavirtualMachine.MaximumPciMemory
            ? config
            : throw node.Wrong("memory", $"at most {MemorySize.Format(ParavirtualMachine.MaximumPciMemory)} for a domain with devices on a PCI bus, whose registers lie above");
    }

    private static void CheckBackends(ConfigNode node, GuestConfig config)
    {
        const string Itself = "a domain cannot serve itself";
        if (config.Disks.Any(disk => disk.Backend == config.Name)) throw node.Problem("disks", Itself);
        if (config.Network.Any(network => network.Backend == config.Name)) throw node.Problem("network", Itself);
    }

    private static string ReadName(ConfigNode node, string defaultName)
    {
        string? name = node.Text("name");
        if (name is null) return defaultName;
        return IsName(name) ? name : throw node.Wrong("name", NameRule);
    }

    private static int? ReadHostThreads(ConfigNode node) => node.Number("hostThreads", 0, 1, Scheduler.MaximumHostThreads) is var number and > 0 ? number : null;

    private static ulong ReadHostThreadSet(ConfigNode node, string key) =>
        node.Text(key) is not { } text ? ulong.MaxValue : HostThreadSet.TryParse(text, out ulong set) ? set : throw node.Wrong(key, HostThreadSet.Form);

    private static EndActions ReadEnds(ConfigNode node)
    {
        EndActions usual = new();
        EndActions ends = new(ReadEnd(node, "onPoweroff", usual.OnPoweroff, mayDump: false), ReadEnd(node, "onReboot", usual.OnReboot, mayDump: false),
            ReadEnd(node, "onCrash", usual.OnCrash, mayDump: true), node.File("coreFile"));
        bool dumps = ends.OnCrash is EndAction.CoredumpDestroy or EndAction.CoredumpRestart;
        if (dumps && ends.CoreFile is null) throw node.Wrong("coreFile", "a file name for the core that \"onCrash\" asks for");
        return dumps || ends.CoreFile is null ? ends : throw node.Problem("coreFile", "\"onCrash\" asks for no core");
    }

    private static EndAction ReadEnd(ConfigNode node, string key, EndAction usual, bool mayDump)
    {
        string[] names = mayDump ? EndActionNames.All : EndActionNames.All[..3];
        string? text = node.Text(key);
        if (text is null) return usual;
        int index = Array.IndexOf(names, text);
        return index >= 0 ? (EndAction)index : throw node.Wrong(key, string.Join(", ", names[..^1]) + " or " + names[^1]);
    }

    private static RealTimeParameters? ReadReservation(ConfigNode? node)
    {
        const int Longest = 10_000;
        if (node is null) return null;
        int period = node.Number("period", 0, 1, Longest), slice = node.Number("slice", 0, 1, Longest);
        if (period == 0) throw node.Wrong("period", $"milliseconds from 1 to {Longest}");
        if (slice == 0 || slice > period) throw node.Wrong("slice", $"milliseconds from 1 to the period's {period}");
        return new RealTimeParameters(TimeSpan.FromMilliseconds(period), TimeSpan.FromMilliseconds(slice), node.Flag("extraTime", absent: false));
    }

    private static bool ReadPrivileged(ConfigNode node, Personality personality)
    {
        bool privileged = node.Flag("privileged", absent: false);
        return !privileged || personality == Personality.Xen ? privileged : throw node.Problem("privileged", "only a domain with the \"xen\" personality can be privileged");
    }

    private static string? ReadEfiVariables(ConfigNode node, Personality personality)
    {
        string? path = node.File("efiVariables");
        return path is null || personality == Personality.Platform || node.Flag("privileged", absent: false)
            ? path
            : throw node.Problem("efiVariables", "of the domains with the \"xen\" personality only a privileged one has the machine's variables");
    }

    private static ClockSource ReadClock(ConfigNode node, Personality personality)
    {
        ClockSource clock = node.Choice("clock", ClockSource.Host);
        // Events come from other domains and from the host's services, whose time is the host's.
        return clock == ClockSource.Host || personality == Personality.Platform
            ? clock
            : throw node.Problem("clock", "a domain with the \"xen\" personality follows the host's clock only");
    }

    private static ulong ReadMemory(ConfigNode node, Personality personality)
    {
        string text = node.Text("memory") ?? "1G";
        if (!MemorySize.TryParse(text, out ulong bytes)) throw node.Wrong("memory", "a size such as \"512M\" or \"1G\"");
        bool isParavirtual = personality == Personality.Xen;
        ulong least = isParavirtual ? MachineLimits.MinimumParavirtualMemory : MachineLimits.MinimumMemory;
        if (bytes < least || bytes > MachineLimits.MaximumMemory || bytes % MachineLimits.MemoryGranularity != 0)
        {
            throw node.Wrong("memory", $"a multiple of {MemorySize.Format(MachineLimits.MemoryGranularity)} from {MemorySize.Format(least)} to "
                + MemorySize.Format(MachineLimits.MaximumMemory));
        }
        return isParavirtual ? bytes : (bytes + MachineLimits.MemoryGranule - 1) / MachineLimits.MemoryGranule * MachineLimits.MemoryGranule;
    }

    private static string ReadCommandLine(ConfigNode node)
    {
        string text = node.Text("commandLine") ?? "";
        if (text.Any(char.IsControl)) throw node.Wrong("commandLine", "text without control characters");
        int length = Encoding.UTF8.GetByteCount(text);
        return length < MachineLimits.CommandLineSize
            ? text
            : throw node.Wrong("commandLine", $"at most {MachineLimits.CommandLineSize - 1} bytes", length.ToString(CultureInfo.InvariantCulture));
    }

    private static DiskConfig ReadDisk(ConfigNode node, Personality personality)
    {
        if (node.Text("format") is { } format && format != "raw") throw node.Wrong("format", "\"raw\"");
        bool isReadOnly = node.Flag("readOnly", absent: false);
        string? overlay = node.File("overlay"), name = node.Text("name");
        if (overlay is not null && isReadOnly) throw node.Problem("overlay", "a disk that is read-only has nothing to keep");
        if (name is not null && personality != Personality.Xen) throw node.Problem("name", "only a domain with the \"xen\" personality is told what to call its disks");
        bool isPci = ReadPci(node, personality);
        if (name is not null && isPci) throw node.Problem("name", "the guest chooses what to call a disk on its PCI bus");
        if (name is not null && !VirtualDiskName.IsValid(name)) throw node.Wrong("name", "xvda to xvdz, hda to hdd, sda to sdp, or a number");
        string? backend = ReadBackend(node, personality), target = node.Text("target");
        if (backend is null)
        {
            return target is null
                ? new DiskConfig(node.RequiredFile("path"), isReadOnly) { Overlay = overlay, Name = name, IsPci = isPci }
                : throw node.Problem("target", "only a disk with a \"backend\" has one: the host's have a \"path\"");
        }
        if (isPci) throw node.Problem("pci", $"a disk that the domain {backend} serves is on no bus");
        foreach (string field in (string[])["path", "overlay"])
        {
            if (node.Text(field) is not null) throw node.Problem(field, $"a disk that the domain {backend} serves has a \"target\" instead");
        }
        return target is { Length: > 0 and <= 128 } && target.All(static c => c is > ' ' and <= '~')
            ? new DiskConfig(target, isReadOnly) { Name = name, Backend = backend }
            : throw node.Wrong("target", $"what the domain {backend} is to serve, in 1 to 128 printable characters without spaces");
    }

    private static bool ReadPci(ConfigNode node, Personality personality)
    {
        bool isPci = node.Flag("pci", absent: false);
        return !isPci || personality == Personality.Xen
            ? isPci
            : throw node.Problem("pci", "all devices of a \"platform\" machine are on its PCI bus; only a domain with the \"xen\" personality is asked");
    }

    private static bool ReadRng(ConfigNode node, Personality personality)
    {
        bool hasRng = node.Flag("rng", absent: false);
        return !hasRng || personality == Personality.Xen
            ? hasRng
            : throw node.Problem("rng", "a \"platform\" machine always has a source of random numbers; only a domain with the \"xen\" personality is asked");
    }

    private static string? ReadBackend(ConfigNode node, Personality personality)
    {
        if (node.Text("backend") is not { } backend) return null;
        if (personality != Personality.Xen) throw node.Problem("backend", "only a domain with the \"xen\" personality can be served by another one");
        return IsName(backend) ? backend : throw node.Wrong("backend", $"the name of a domain ({NameRule})");
    }

    private static NetworkConfig ReadNetwork(ConfigNode node, Personality personality)
    {
        string? backend = ReadBackend(node, personality);
        NetworkType type = node.Choice("type", backend is null ? NetworkType.Nat : NetworkType.Switch);
        if (backend is not null && type != NetworkType.Switch) throw node.Problem("type", $"the network of a card that the domain {backend} serves is that domain's switch");
        bool isPci = ReadPci(node, personality);
        if (isPci && backend is not null) throw node.Problem("pci", $"a card that the domain {backend} serves is on no bus");
        string? device = node.Text("device");
        List<string> forwards = node.Texts("hostForwards", 64);
        if (type == NetworkType.Tap)
        {
            // IFNAMSIZ is 16 with the terminating zero; '/' and white space are not allowed in an interface's name.
            if (device is null || device.Length is 0 or > 15 || device.Any(static c => c is '/' or ':' || char.IsWhiteSpace(c) || !char.IsAscii(c) || char.IsControl(c)))
                throw node.Wrong("device", "the name of a TAP interface of the host");
        }
        else if (device is not null)
        {
            throw node.Problem("device", $"only a \"tap\" network has a device, this one is \"{Printed(type)}\"");
        }
        if (type != NetworkType.Nat && forwards.Count > 0) throw node.Problem("hostForwards", $"only a \"nat\" network forwards ports, this one is \"{Printed(type)}\"");
        string? bridge = node.Text("bridge");
        if (bridge is not null && type != NetworkType.Switch) throw node.Problem("bridge", $"only a \"switch\" network names its switch, this one is \"{Printed(type)}\"");
        if (bridge is not null && !IsName(bridge)) throw node.Wrong("bridge", NameRule);
        return new NetworkConfig(type, device, ReadMac(node), forwards.ConvertAll(text => ReadForward(node, text)))
        {
            Bridge = bridge ?? NetworkConfig.DefaultBridge,
            Backend = backend,
            IsPci = isPci,
        };
    }

    private static string Printed(NetworkType type) => type.ToString().ToLowerInvariant();

    private static byte[]? ReadMac(ConfigNode node)
    {
        string? text = node.Text("mac");
        if (text is null) return null;
        string[] parts = text.Split(':');
        byte[] mac = new byte[6];
        bool good = parts.Length == 6;
        for (int i = 0; good && i < 6; i++)
            good = parts[i].Length == 2 && byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out mac[i]);
        // Bit 0 of the first byte marks a group address.
        return good && (mac[0] & 1) == 0 ? mac : throw node.Wrong("mac", "six hex bytes of a unicast address, such as \"52:54:00:12:34:56\"");
    }

    private static HostForward ReadForward(ConfigNode node, string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length == 3) parts = [parts[0], "127.0.0.1", parts[1], parts[2]];
        if (parts.Length == 4
            && parts[0] is "tcp" or "udp"
            && IPAddress.TryParse(parts[1], out IPAddress? address)
            && TryPort(parts[2], out int host)
            && TryPort(parts[3], out int guest))
        {
            return new HostForward(parts[0] == "tcp" ? ForwardProtocol.Tcp : ForwardProtocol.Udp, new IPEndPoint(address, host), guest);
        }
        throw node.Wrong("hostForwards", "\"tcp:HOSTPORT:GUESTPORT\" or \"udp:HOSTADDRESS:HOSTPORT:GUESTPORT\"", $"\"{text}\"");
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;

    private static ConsoleConfig ReadConsole(ConfigNode? node)
    {
        if (node is null) return new ConsoleConfig();
        ConsoleType type = node.Choice("type", ConsoleType.Stdio);
        string? path = node.File("path");
        bool needsPath = type is ConsoleType.File or ConsoleType.Socket;
        if (needsPath && path is null) throw node.Wrong("path", "a file name");
        if (!needsPath && path is not null) throw node.Problem("path", $"a \"{type.ToString().ToLowerInvariant()}\" console has no path");
        return new ConsoleConfig { Type = type, Path = path, Escape = ReadEscape(node) };
    }

    private static byte? ReadEscape(ConfigNode node)
    {
        const string Expected = "a control character such as \"ctrl-]\", or \"none\"";
        string? text = node.Text("escape");
        if (text is null) return ConsoleConfig.DefaultEscape;
        if (text == "none") return null;
        if (!text.StartsWith("ctrl-", StringComparison.Ordinal) || text.Length != 6) throw node.Wrong("escape", Expected);
        // Control characters are the columns @ to _ of ASCII less 0x40. Tab, line feed and carriage return are typed all the time.
        int code = char.ToUpperInvariant(text[5]) - '@';
        return code is >= 0 and < 0x20 and not ('\t' or '\n' or '\r') ? (byte)code : throw node.Wrong("escape", Expected);
    }
}
