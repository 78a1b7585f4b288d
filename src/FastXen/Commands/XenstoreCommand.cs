using System.Globalization;
using System.Text;
using System.Text.Json;
using FastXen.CommandLine;
using FastXen.Control;
using FastXen.Xen.Xenstore;

namespace FastXen.Commands;

/// <summary><c>fastxen xenstore</c>: the store of a running host, with the names and habits of xenstore-ls and its kin.</summary>
internal static class XenstoreCommand
{
    // Exit code of 'exists' for a node that is not there, as xenstore-exists has it.
    private const int NotThere = 1;

    public static int Run(XenstoreOptions options)
    {
        using ControlClient client = new(options.Socket);
        client.Ask(new ControlRequest { Command = "xenstore" });
        using XenstoreClient store = new(client.TakeStream());
        string path = options.Path ?? (options.Command == "ls" ? "/" : throw new ControlException($"'xenstore {options.Command}' needs a PATH"));
        try
        {
            if (ServerOf(store, path) is { } server)
                Console.Error.WriteLine($"fastxen: domain {DomainOf(path)} has its xenstore from domain {Clean(server)}: what it and its tools read and write is there, here is what the host keeps of it");
            return Do(store, options.Command, path, options);
        }
        catch (XenstoreException e) when (options.Command == "exists" && e.Name == "ENOENT")
        {
            return NotThere;
        }
        catch (XenstoreException e)
        {
            throw new ControlException($"{path}: {Reason(e.Name)}", e);
        }
        catch (IOException e)
        {
            throw new ControlException($"the host went away: {e.Message}", e);
        }
    }

    private static int Do(XenstoreClient store, string command, string path, XenstoreOptions options)
    {
        switch (command)
        {
            case "ls":
                PrintTree(store, path, depth: 0);
                break;
            case "list":
                Print(store.List(path), options.Json);
                break;
            case "read":
                Print([store.Read(path)], options.Json);
                break;
            case "exists":
                store.Read(path);
                break;
            case "write":
                store.Write(path, options.Value ?? throw new ControlException("'xenstore write' needs a VALUE"));
                break;
            case "rm":
                store.Remove(path);
                break;
            case "watch":
                store.Watch(path, path);
                while (true)
                {
                    Console.Out.WriteLine(Clean(store.NextEvent().Path));
                    Console.Out.Flush();
                }
            default:
                throw new ControlException($"xenstore has no command '{command}': ls, list, read, exists, write, rm or watch");
        }
        return ExitCode.Success;
    }

    // The domain that took over the ring of the one that a path is about; null where the host serves it.
    private static string? ServerOf(XenstoreClient store, string path)
    {
        if (DomainOf(path) is not { } domain) return null;
        try
        {
            return store.Read($"{DomainHome.PathOf(domain)}/{DomainHome.ServedBy}");
        }
        catch (XenstoreException)
        {
            return null;
        }
    }

    private static ushort? DomainOf(string path) =>
        path.Split('/') is ["", "local", "domain", var number, ..] && ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ushort domain) ? domain : null;

    private static void PrintTree(XenstoreClient store, string path, int depth)
    {
        foreach (string name in store.List(path))
        {
            string child = path == "/" ? $"/{name}" : $"{path}/{name}";
            try
            {
                string value = store.Read(child);
                Console.Out.WriteLine($"{new string(' ', depth)}{Clean(name)} = \"{Clean(value)}\"");
                PrintTree(store, child, depth + 1);
            }
            catch (XenstoreException e) when (e.Name == "ENOENT")
            {
                // It went while the tree was read.
            }
        }
    }

    private static void Print(string[] lines, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(lines, ControlJson.Default.StringArray));
            return;
        }
        foreach (string line in lines) Console.Out.WriteLine(Clean(line));
    }

    // Values are bytes of guests: what a terminal could take for a command is shown as xenstore-ls shows it.
    private static string Clean(string text)
    {
        StringBuilder clean = new();
        foreach (char c in text)
        {
            if (c is '\\') clean.Append("\\\\");
            else if (c is >= ' ' and < '\x7f') clean.Append(c);
            else clean.Append($"\\x{(int)c:x2}");
        }
        return clean.ToString();
    }

    private static string Reason(string error) => error switch
    {
        "ENOENT" => "there is no such node",
        "EINVAL" => "is not a path (or a value) that the store takes",
        "EACCES" => "may not be touched",
        "EROFS" => "cannot be changed",
        _ => $"the store answers {error}",
    };
}
