using FastXen.Platform.Block;

namespace FastXen.Platform.Tests.Devices;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class RawImageTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("fastxen").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    private string Image(int length)
    {
        string path = Path.Combine(folder, $"{length}.img");
        File.WriteAllBytes(path, new byte[length]);
        return path;
    }

    private static string Error(string path, bool readOnly = false)
    {
        string message = Assert.Throws<DeviceConfigurationException>(() => RawImage.Open(path, readOnly)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        return message;
    }

    [Fact]
    public void Files_that_cannot_be_a_disk_are_named_with_the_reason()
    {
        Assert.Contains("does not exist", Error(Path.Combine(folder, "none.img")), StringComparison.Ordinal);
        Assert.Contains("directory", Error(folder), StringComparison.Ordinal);
        Assert.Contains("is empty", Error(Image(0)), StringComparison.Ordinal);
        Assert.Contains("multiple of 512", Error(Image(1000)), StringComparison.Ordinal);
    }

    [Fact]
    public void Disk_that_is_written_belongs_to_one_machine_and_readers_share()
    {
        string path = Image(1024);
        using (RawImage.Open(path, false))
        {
            Assert.Contains("in use", Error(path), StringComparison.Ordinal);
            Assert.Contains("in use", Error(path, readOnly: true), StringComparison.Ordinal);
        }
        using RawImage one = RawImage.Open(path, true);
        using RawImage two = RawImage.Open(path, true);
        Assert.True(two.IsReadOnly);
        Assert.Contains("in use", Error(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Permission_is_checked()
    {
        string path = Image(512);
        File.SetUnixFileMode(path, UnixFileMode.UserRead);
        if (Environment.IsPrivilegedProcess)
        {
            // root may write whatever the mode says
            RawImage.Open(path, false).Dispose();
            return;
        }
        Assert.Contains("not writable", Error(path), StringComparison.Ordinal);
        RawImage.Open(path, true).Dispose();
        File.SetUnixFileMode(path, UnixFileMode.None);
        Assert.Contains("cannot be read", Error(path, readOnly: true), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Error(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Content_is_kept()
    {
        string path = Image(4096);
        using (RawImage image = RawImage.Open(path, false))
        {
            image.Write(1536, "itanium"u8);
            image.Flush();
        }
        using RawImage again = RawImage.Open(path, true);
        byte[] back = new byte[7];
        again.Read(1536, back);
        Assert.Equal("itanium"u8.ToArray(), back);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1500)]
    public unsafe void Pieces_are_moved_in_order(int count)
    {
        string path = Image(count * 512);
        using RawImage image = RawImage.Open(path, false);
        byte[] memory = GC.AllocateArray<byte>(count * 1024, pinned: true);
        new Random(count).NextBytes(memory);
        byte[] original = [.. memory];
        var pieces = new IoVector[count];
        fixed (byte* start = memory)
        {
            for (int i = 0; i < count; i++)
                pieces[i] = new IoVector(start + 1024 * i, 512);
            image.Write(0, pieces);
            Array.Clear(memory);
            image.Read(0, pieces);
            Assert.Throws<EndOfStreamException>(() => image.Read(512, pieces));
        }
        for (int i = 0; i < count; i++)
            Assert.True(memory.AsSpan(1024 * i + 512, 512).IndexOfAnyExcept((byte)0) < 0);
        byte[] file = new byte[count * 512];
        image.Read(0, file);
        for (int i = 0; i < count; i++)
            Assert.True(original.AsSpan(1024 * i, 512).SequenceEqual(file.AsSpan(512 * i, 512)));
    }

    [Fact]
    public void Discarded_ranges_read_as_zeros_where_the_host_can()
    {
        string path = Image(1 << 16);
        using RawImage image = RawImage.Open(path, false);
        byte[] bytes = new byte[1 << 16];
        Array.Fill(bytes, (byte)1);
        image.Write(0, bytes);
        bool isGone = image.TryDiscard(8192, 4096);
        image.Read(0, bytes);
        Assert.Equal(isGone ? 0 : 1, bytes[8192]);
        Assert.Equal((1, 1, 1 << 16), (bytes[8191], bytes[12288], (int)new FileInfo(path).Length));
    }
}
