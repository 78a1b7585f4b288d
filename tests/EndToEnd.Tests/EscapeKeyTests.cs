using System.Text;
using FastXen.Terminal;

namespace FastXen.EndToEnd.Tests;

public class EscapeKeyTests
{
    private static (string Passed, List<EscapeCommand> Commands) Type(byte? key, params string[] pieces)
    {
        EscapeKey escape = new(key);
        StringBuilder text = new();
        List<EscapeCommand> commands = [];
        foreach (string piece in pieces)
        {
            ReadOnlySpan<byte> rest = Encoding.ASCII.GetBytes(piece);
            while (rest.Length > 0)
            {
                byte[] passed = new byte[rest.Length];
                EscapeCommand command = escape.Filter(rest, passed, out int consumed, out int count);
                rest = rest[consumed..];
                text.Append(Encoding.ASCII.GetString(passed, 0, count));
                if (command != EscapeCommand.None) commands.Add(command);
            }
        }
        return (text.ToString(), commands);
    }

    [Fact]
    public void Commands_are_taken_out_of_the_input()
    {
        (string passed, List<EscapeCommand> commands) = Type(0x1D, "ls\n\u001dsab\u001d\u001dc\u001d?", "\u001d", "qd");
        Assert.Equal("ls\nab\u001dcd", passed);
        Assert.Equal([EscapeCommand.Status, EscapeCommand.Help, EscapeCommand.Leave], commands);
    }

    [Fact]
    public void Without_a_key_all_input_passes()
    {
        (string passed, List<EscapeCommand> commands) = Type(null, "a\u001dq");
        Assert.Equal("a\u001dq", passed);
        Assert.Empty(commands);
    }
}
